package edit

// lock does nothing: a file that is locked could not be replaced.
func lock(string) (unlock func(), err error) { return func() {}, nil }
