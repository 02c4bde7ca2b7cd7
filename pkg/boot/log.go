package boot

import (
	"io"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// newLogger writes JSON, one flat object a line: time, level, service, msg and fields
// named like the columns. Durations are seconds, so that whatever keeps the log can
// reckon with them.
func newLogger(name string, level zapcore.Level, out io.Writer) *zap.Logger {
	encoding := zap.NewProductionEncoderConfig()
	encoding.TimeKey = "time"
	encoding.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	encoding.EncodeDuration = zapcore.SecondsDurationEncoder
	core := zapcore.NewCore(zapcore.NewJSONEncoder(encoding), zapcore.Lock(zapcore.AddSync(out)), level)
	return zap.New(core).With(zap.String("service", name), zap.String("version", Version))
}

// newPlainLogger writes a line a message, for people.
func newPlainLogger(level zapcore.Level, out io.Writer) *zap.Logger {
	encoding := zap.NewDevelopmentEncoderConfig()
	encoding.TimeKey, encoding.CallerKey, encoding.StacktraceKey = "", "", ""
	encoding.EncodeLevel = zapcore.LowercaseLevelEncoder
	encoding.ConsoleSeparator = " "
	return zap.New(zapcore.NewCore(zapcore.NewConsoleEncoder(encoding), zapcore.Lock(zapcore.AddSync(out)), level))
}
