// The report's table and pages. Everything foreign comes from the JSON blocks
// and reaches the page as text, never as markup; addresses of links were
// checked by the program that wrote the file, and their scheme is checked again.
(() => {
  'use strict';

  const $ = (id) => document.getElementById(id);
  const meta = JSON.parse($('meta').textContent);

  // A row is a list of numbers: three codes, then references to its block's
  // strings, then triples of label, text and address for its page.
  const VERDICT = 0, COVERAGE = 1, FLAGS = 2, ID = 3, RECIPE = 4, SOURCE = 5, TITLE = 6;
  const HOST = 7, PUBLISHER = 8, DATE = 9, MESSAGE = 10, HINT = 11, SHEET = 12;
  const flags = { changed: 1, downgrade: 2, warning: 4 };
  const PER_PAGE = 100;

  const blocks = [];      // lists of strings
  const blockOf = [];     // block of each row
  const rows = [];
  const ids = [];         // name of each row's page in the address
  const byID = new Map();
  for (const element of document.querySelectorAll('script.rows')) {
    const { s, r } = JSON.parse(element.textContent);
    blocks.push(s);
    for (const row of r) {
      let id = s[row[ID]];
      for (let n = 2; byID.has(id); n++) id = `${s[row[ID]]}.${n}`;
      byID.set(id, rows.length);
      ids.push(id);
      blockOf.push(blocks.length - 1);
      rows.push(row);
    }
  }
  const value = (i, column) => blocks[blockOf[i]][rows[i][column]];

  // Characters that cannot be seen, or that change the direction of writing,
  // are shown as escapes.
  const unseen = /[\p{C}\p{Z}]/gu;
  const shown = (s) => s.replace(unseen, (c) => {
    if (c === ' ') return c;
    const n = c.codePointAt(0);
    return n > 0xffff ? '\\U' + n.toString(16).padStart(8, '0') : '\\u' + n.toString(16).padStart(4, '0');
  });
  const lines = (s) => s.split('\n').map(shown).join('\n');

  const make = (tag, properties, ...children) => {
    const e = document.createElement(tag);
    Object.assign(e, properties);
    e.append(...children);
    return e;
  };
  const foreign = (s) => make('bdi', { textContent: shown(s) });
  const icon = (name) => {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('class', 'icon');
    svg.setAttribute('aria-hidden', 'true');
    const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
    use.setAttribute('href', '#i-' + name);
    svg.append(use);
    return svg;
  };
  const mark = (of) => make('span', { className: 'mark ' + of.class }, icon(of.icon), of.label);
  const link = (text, address) => {
    if (!address.startsWith('https://')) return foreign(text);
    return make('a', { href: address, rel: 'noopener noreferrer', target: '_blank' }, foreign(text));
  };
  const option = (text, v) => make('option', { value: v, textContent: text });
  const count = (n) => n.toLocaleString('en');

  // ---- what is looked for, and in which order

  const columns = {
    verdict: { rank: (i) => meta.verdicts[rows[i][VERDICT]].order },
    source: { column: TITLE },
    recipe: { column: RECIPE },
    host: { column: HOST },
    coverage: { rank: (i) => rows[i][COVERAGE] },
    publisher: { column: PUBLISHER },
    date: { column: DATE },
  };
  const fresh = () => ({ q: '', verdict: '', coverage: '', host: '', note: '', sort: '', page: 1 });
  let state = fresh();
  let order = [];   // rows that are shown, in order

  const natural = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });
  const ranks = new Map();
  // rankOf gives each row a number to sort by; empty texts come last.
  const rankOf = (name) => {
    if (ranks.has(name)) return ranks.get(name);
    const { column, rank } = columns[name];
    const result = new Float64Array(rows.length);
    if (rank) {
      rows.forEach((_, i) => { result[i] = rank(i); });
    } else {
      const texts = [...new Set(rows.map((_, i) => value(i, column)))];
      texts.sort((a, b) => (a === '') - (b === '') || natural.compare(a, b) || (a < b ? -1 : 1));
      const place = new Map(texts.map((t, n) => [t, n]));
      rows.forEach((_, i) => { result[i] = place.get(value(i, column)); });
    }
    ranks.set(name, result);
    return result;
  };

  let lowered;
  // search marks the rows that hold every word, in whatever is known of them.
  const search = (query) => {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length === 0) return null;
    lowered ??= blocks.map((s) => s.map((t) => t.toLowerCase()));
    let found = null;
    for (const word of words) {
      const hits = lowered.map((s) => Uint8Array.from(s, (t) => t.includes(word)));
      const verdicts = meta.verdicts.map((v) => v.label.includes(word));
      const coverages = meta.coverage.map((c) => c.label.toLowerCase().includes(word));
      const now = new Uint8Array(rows.length);
      rows.forEach((row, i) => {
        if (found && !found[i]) return;
        if (verdicts[row[VERDICT]] || coverages[row[COVERAGE]]) { now[i] = 1; return; }
        const hit = hits[blockOf[i]];
        for (let c = ID; c < SHEET; c++) if (hit[row[c]]) { now[i] = 1; return; }
        for (let c = SHEET + 1; c < row.length; c += 3) if (hit[row[c]]) { now[i] = 1; return; }
      });
      found = now;
    }
    return found;
  };

  const select = () => {
    const found = search(state.q);
    order = [];
    rows.forEach((row, i) => {
      if (found && !found[i]) return;
      if (state.verdict && meta.verdicts[row[VERDICT]].label !== state.verdict) return;
      if (state.coverage && meta.coverage[row[COVERAGE]].class !== state.coverage) return;
      if (state.host && value(i, HOST) !== state.host) return;
      if (state.note && !(row[FLAGS] & flags[state.note])) return;
      order.push(i);
    });
    const down = state.sort.startsWith('-');
    const name = state.sort.replace(/^-/, '');
    if (Object.hasOwn(columns, name)) {
      const rank = rankOf(name);
      order.sort((a, b) => (down ? rank[b] - rank[a] : rank[a] - rank[b]) || a - b);
    }
  };

  // ---- the table

  const pages = () => Math.max(1, Math.ceil(order.length / PER_PAGE));
  const rowOf = (i) => {
    const row = rows[i];
    const open = make('a', { href: '#source=' + encodeURIComponent(ids[i]) }, foreign(value(i, TITLE)));
    const name = make('th', { scope: 'row' }, open);
    const cell = (text) => make('td', text === '' ? { className: 'muted' } : {}, text === '' ? '–' : foreign(text));
    const notes = [];
    if (row[FLAGS] & flags.downgrade) notes.push('changed for the worse');
    else if (row[FLAGS] & flags.changed) notes.push('changed');
    if (row[FLAGS] & flags.warning) notes.push('with a warning');
    return make('tr', {},
      make('td', {}, mark(meta.verdicts[row[VERDICT]]), ...notes.map((n) => make('div', { className: 'sub' }, n))),
      name, cell(value(i, RECIPE).replace(/(.)\/recipe\.yaml$/, '$1')), cell(value(i, HOST)),
      make('td', {}, mark(meta.coverage[row[COVERAGE]])),
      cell(value(i, PUBLISHER)), cell(value(i, DATE).slice(0, 10)));
  };
  const draw = () => {
    state.page = Math.min(Math.max(1, state.page), pages());
    const first = (state.page - 1) * PER_PAGE;
    const page = order.slice(first, first + PER_PAGE);
    $('rows').replaceChildren(...page.map(rowOf));
    $('nothing').hidden = order.length > 0;
    const said = (order.length === rows.length ? '' : `${count(order.length)} of `) + count(rows.length) + (rows.length === 1 ? ' source' : ' sources');
    $('count').textContent = order.length === 0 ? said : `${said}, ${count(first + 1)} to ${count(first + page.length)} shown`;
    for (const nav of document.querySelectorAll('.pages')) {
      nav.querySelector('.place').textContent = `Page ${count(state.page)} of ${count(pages())}`;
      for (const b of nav.querySelectorAll('button')) {
        const back = b.dataset.go === 'first' || b.dataset.go === 'previous';
        b.disabled = back ? state.page === 1 : state.page === pages();
      }
    }
    for (const th of document.querySelectorAll('#table thead th')) {
      if (th.dataset.sort === state.sort) th.setAttribute('aria-sort', 'ascending');
      else if ('-' + th.dataset.sort === state.sort) th.setAttribute('aria-sort', 'descending');
      else th.removeAttribute('aria-sort');
    }
    $('reset').disabled = !(state.q || state.verdict || state.coverage || state.host || state.note || state.sort);
  };
  const fill = () => {
    $('q').value = state.q;
    for (const name of ['verdict', 'coverage', 'host', 'note']) {
      $(name).value = state[name];
      if ($(name).selectedIndex >= 0) continue;
      if (name !== 'host') state[name] = $(name).value = '';
      else { $(name).append(option(shown(state[name]), state[name])); $(name).value = state[name]; }
    }
  };
  const fragment = () => {
    const p = new URLSearchParams();
    for (const [k, v] of Object.entries(state)) if (v !== fresh()[k]) p.set(k, v);
    return p.toString();
  };
  const remember = () => history.replaceState(null, '', '#' + (fragment() || 'sources'));
  const change = (what) => {
    Object.assign(state, { page: 1 }, what);
    if (!('page' in what) || Object.keys(what).length > 1) select();
    draw();
    remember();
  };
  const go = (where) => {
    const target = { first: 1, previous: state.page - 1, next: state.page + 1, last: pages() }[where];
    change({ page: target });
  };

  // ---- the page of one source

  let opened = -1;
  const title = document.title;
  const sheet = (i) => {
    const s = blocks[blockOf[i]], row = rows[i], parts = [];
    let list = null;
    for (let c = SHEET; c + 2 < row.length; c += 3) {
      const label = s[row[c]], text = s[row[c + 1]], address = s[row[c + 2]];
      if (row[c + 1] === 0) {
        parts.push(make('h2', {}, shown(label)));
        list = null;
        continue;
      }
      if (!list) parts.push(list = make('dl', {}));
      const body = make('bdi', { textContent: lines(text) });
      list.append(make('dt', {}, shown(label)), make('dd', {}, address ? link(text, address) : body));
    }
    return parts;
  };
  const open = (i) => {
    opened = i;
    const verdict = meta.verdicts[rows[i][VERDICT]], coverage = meta.coverage[rows[i][COVERAGE]];
    const head = make('h1', { tabIndex: -1 }, foreign(value(i, TITLE)));
    const why = make('div', { className: 'why' }, make('p', {}, make('bdi', { textContent: lines(value(i, MESSAGE)) })));
    if (value(i, HINT)) why.append(make('p', { className: 'hint' }, 'hint: ', make('bdi', { textContent: lines(value(i, HINT)) })));
    const state = make('p', { className: 'big' }, mark(verdict));
    if (coverage.class === 'attestable' || coverage.class === 'unattestable') state.append('\u2003', mark(coverage));
    $('sheet').replaceChildren(
      make('div', { className: 'panel' }, state, head,
        make('p', { className: 'lede' }, foreign(value(i, SOURCE))),
        ...(value(i, MESSAGE) ? [why] : [])),
      make('div', { className: 'panel' }, ...sheet(i)));
    const place = order.indexOf(i);
    $('earlier').disabled = place < 1;
    $('later').disabled = place < 0 || place === order.length - 1;
    $('report').hidden = true;
    $('source').hidden = false;
    document.title = `${shown(value(i, TITLE))}: ${verdict.label} – ${title}`;
    window.scrollTo({ top: 0, behavior: 'instant' });
    head.focus({ preventScroll: true });
  };
  const close = () => {
    if (opened < 0) return false;
    const i = opened;
    opened = -1;
    document.title = title;
    $('source').hidden = true;
    $('report').hidden = false;
    const place = order.indexOf(i);
    if (place >= 0) {
      state.page = Math.floor(place / PER_PAGE) + 1;
      draw();
      const a = $('rows').children[place % PER_PAGE].querySelector('a');
      a.focus({ preventScroll: true });
      a.scrollIntoView({ block: 'center', behavior: 'instant' });
    }
    return true;
  };
  const toList = () => { location.hash = fragment() || 'sources'; };
  const neighbour = (step) => {
    const i = order[order.indexOf(opened) + step];
    if (i !== undefined) location.hash = 'source=' + encodeURIComponent(ids[i]);
  };

  // ---- the address decides what is seen

  const read = () => {
    const hash = location.hash.slice(1);
    const p = new URLSearchParams(hash);
    if (p.has('source')) {
      const i = byID.get(p.get('source'));
      if (i === undefined) { $('unfound').hidden = false; close(); return; }
      $('unfound').hidden = true;
      open(i);
      return;
    }
    $('unfound').hidden = true;
    if (hash.includes('=')) {
      const before = fragment();
      state = fresh();
      for (const k of Object.keys(state)) if (p.has(k)) state[k] = k === 'page' ? parseInt(p.get(k), 10) || 1 : p.get(k);
      const same = fragment() === before;
      if (!same) { fill(); select(); draw(); }
      if (!close() || !same) { $('sources').scrollIntoView({ behavior: 'instant' }); $('sources-heading').focus({ preventScroll: true }); }
    } else if (!close() && hash) {
      $(hash)?.scrollIntoView();
    }
  };

  // ---- wiring

  const hosts = new Map();
  let noted = 0;
  rows.forEach((row, i) => {
    hosts.set(value(i, HOST), (hosts.get(value(i, HOST)) || 0) + 1);
    noted |= row[FLAGS];
  });
  hosts.delete('');
  const top = [...hosts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 200);
  $('host').append(...top.map(([h, n]) => option(`${shown(h)} (${count(n)})`, h)));
  $('verdict').append(...meta.verdicts.map((v) => option(v.label, v.label)));
  $('coverage').append(...meta.coverage.map((c) => option(c.label, c.class)));
  for (const o of [...$('note').options]) if (o.value && !(noted & flags[o.value])) o.remove();
  $('note').parentElement.hidden = noted === 0;

  let waiting = 0;
  $('q').addEventListener('input', () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => change({ q: $('q').value.trim() }), 60);
  });
  for (const name of ['verdict', 'coverage', 'host', 'note']) {
    $(name).addEventListener('change', () => change({ [name]: $(name).value }));
  }
  $('controls').addEventListener('submit', (e) => e.preventDefault());
  $('reset').addEventListener('click', () => { state = fresh(); fill(); change({ sort: '' }); $('q').focus(); });
  for (const th of document.querySelectorAll('#table thead th')) {
    const name = th.dataset.sort;
    th.querySelector('button').addEventListener('click', () => {
      change({ sort: state.sort === name ? '-' + name : state.sort === '-' + name ? '' : name });
    });
  }
  for (const b of document.querySelectorAll('.pages button')) {
    b.addEventListener('click', () => {
      go(b.dataset.go);
      if (b.closest('.below')) $('table').scrollIntoView({ behavior: 'instant' });
    });
  }
  // Between rows with the arrow keys, between pages with Page Up and Page Down.
  $('rows').addEventListener('keydown', (e) => {
    const links = [...$('rows').querySelectorAll('a')];
    const at = links.indexOf(document.activeElement);
    if (at < 0 || e.altKey || e.ctrlKey || e.metaKey || e.shiftKey) return;
    let to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[e.key];
    if (e.key === 'PageDown' || (e.key === 'ArrowDown' && to === links.length)) {
      if (state.page < pages()) { go('next'); to = 0; } else to = links.length - 1;
    } else if (e.key === 'PageUp' || (e.key === 'ArrowUp' && to < 0)) {
      if (state.page > 1) { go('previous'); to = e.key === 'PageUp' ? 0 : PER_PAGE - 1; } else to = 0;
    }
    if (to === undefined) return;
    e.preventDefault();
    $('rows').querySelectorAll('a')[to]?.focus();
  });
  $('back').addEventListener('click', toList);
  $('earlier').addEventListener('click', () => neighbour(-1));
  $('later').addEventListener('click', () => neighbour(1));
  document.addEventListener('keydown', (e) => { if (e.key === 'Escape' && opened >= 0) toList(); });
  window.addEventListener('hashchange', read);

  select();
  draw();
  $('sources').hidden = false;
  if (location.hash.length > 1) read();
})();
