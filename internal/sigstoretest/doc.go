// Package sigstoretest is a Sigstore inside the test process: a certificate
// authority as Fulcio, a certificate-transparency log, Rekor v1 and v2 with
// growing Merkle trees, and a time-stamp authority. It makes real bundles, with
// real keys and signatures, by plain calls: no server, no socket.
//
//	s := sigstoretest.New(sigstoretest.Options{})
//	b := s.Sign(sigstoretest.Attest("flask-3.1.1.tar.gz", archive),
//		sigstoretest.GitHub("pallets/flask"), sigstoretest.RekorV1)
//	b.JSON()             // a bundle v0.3
//	b.PEP740()           // the same as PyPI gives it
//	s.TrustedRootJSON()  // what it verifies against
//
// Three things about a bundle can be wrong, and there is a way to each:
//
//   - what is issued: the content, the [Identity] and the [Knob] values given
//     to [Sigstore.Sign], e.g. [WithoutSCT] or [ForgedCheckpoint]; everything
//     around the fault is genuine, and the log holds what the bundle says;
//   - what is assembled: a [Bundle] is a plain struct whose fields can be
//     changed before it is written;
//   - what is written: [Leaves], [Mutate], [FlipByte], [Set] and [Remove] change
//     one place of a JSON document.
//
// The package is for tests and for the generator of the demonstration, and
// panics where something cannot be made. It must not get into the command: its
// keys sign whatever they are asked to.
package sigstoretest
