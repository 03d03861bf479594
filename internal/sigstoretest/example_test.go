package sigstoretest_test

import (
	"fmt"
	"strings"

	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
)

func Example() {
	s := sigstoretest.New(sigstoretest.Options{})
	archive := []byte("the bytes of an archive")
	statement := sigstoretest.Attest("harbour_lights-2.4.1.tar.gz", archive)
	publisher := sigstoretest.GitHub("harbour-lights/harbour-lights", func(r *sigstoretest.GitHubRun) {
		r.Ref = "refs/tags/v2.4.1"
	})

	good := s.Sign(statement, publisher, sigstoretest.RekorV1)
	forged := s.Sign(statement, publisher, sigstoretest.RekorV2, sigstoretest.ForgedCheckpoint())
	for _, b := range []*sigstoretest.Bundle{good, forged} {
		_, err := check(s.TrustedRoot(), b.JSON(), archive, publicGood...)
		fmt.Println(b.Entry().Kind, err == nil)
	}

	document := sigstoretest.Provenance(good)
	fmt.Println(strings.HasPrefix(string(document), `{"version":1,"attestation_bundles":[{"publisher":{`))
	// Output:
	// {dsse 0.0.1} true
	// {hashedrekord 0.0.2} false
	// true
}

func ExampleMutate() {
	s := sigstoretest.New(sigstoretest.Options{})
	document := s.Sign(sigstoretest.Message("archive"), sigstoretest.GitHub("a/b"), sigstoretest.RekorV1).JSON()
	for _, leaf := range sigstoretest.Leaves(document) {
		if !strings.HasPrefix(leaf, "/messageSignature") {
			continue
		}
		_, err := check(s.TrustedRoot(), sigstoretest.Mutate(document, leaf), []byte("archive"), publicGood...)
		fmt.Println(leaf, err != nil)
	}
	// Output:
	// /messageSignature/messageDigest/algorithm true
	// /messageSignature/messageDigest/digest true
	// /messageSignature/signature true
}
