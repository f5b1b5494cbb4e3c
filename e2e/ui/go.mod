// The test that looks at make demo-ui with a browser. It has a module of its own:
// nothing of it is part of the receiver.
module github.com/openaicompliance/openaicompliancereceiver/e2e/ui

go 1.26.0

require (
	github.com/chromedp/chromedp v0.23.0
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/chromedp/cdproto v0.159.0 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)
