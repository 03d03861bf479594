// Renders expressions with the official engine, compiled to WebAssembly. Reads
// {"context": …, "expressions": […]} and writes a list of {"text"} or {"error"}.
const { Environment } = require("minijinja-js");
const input = JSON.parse(require("fs").readFileSync(0, "utf8"));
const results = input.expressions.map((expression) => {
  // An engine that has panicked is of no more use.
  const env = new Environment();
  env.undefinedBehavior = "strict";
  try {
    return { text: env.renderStr("{{ " + expression + " }}", input.context) };
  } catch (e) {
    return { error: String(e.message || e) };
  }
});
process.stdout.write(JSON.stringify(results));
