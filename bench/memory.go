package main
import "context"
func measureMemory(ctx context.Context, opts options) error { return nil }
func measureIdle(ctx context.Context, opts options) error { return nil }
