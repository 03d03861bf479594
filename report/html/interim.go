package html

import "github.com/recipe-verify/recipe-verify/report"

type Record struct {
	report.SourceResult
	Host, Package, Version string
	Finding, FindingDetail string
	AttestablePublisher    string
	AttestableVerified     bool
	Replacement            string
	Changes                []Change
}
type Change struct{ Kind, Detail string }
type Header struct {
	Tool   report.Tool
	Policy report.PolicyDocument
}
type Footer struct {
	Complete bool
	report.SummaryCounts
}
