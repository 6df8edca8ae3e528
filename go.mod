module defectdojo

go 1.26.0

require (
	github.com/alecthomas/kong v1.17.0
	github.com/go-json-experiment/json v0.0.0-20260623181947-01eb4420fa68
	github.com/google/go-cmp v0.7.0
	github.com/orisano/gosax v1.1.4
	github.com/pandatix/go-cvss v0.6.4
	golang.org/x/net v0.62.0
	golang.org/x/text v0.43.0
)
