package tests

import (
	"os"
	"testing"

	"coworking/pkg/devbroker"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// roles is what this binary does as another process of a site.
var roles = map[string]func(*testing.T){
	"broker": runBroker,
}

// TestOtherProcess is no test, but what a site starts as other processes: on its
// own it has nothing to do.
func TestOtherProcess(t *testing.T) {
	if role, ok := roles[os.Getenv("FAULTS_ROLE")]; ok {
		role(t)
	}
}

// runBroker is a broker that syncs every write, until it is killed.
func runBroker(t *testing.T) {
	log := zap.New(zapcore.NewCore(zapcore.NewConsoleEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(os.Stderr), zap.WarnLevel))
	_, err := devbroker.Start(devbroker.Config{
		Dir: os.Getenv("FAULTS_DIR"), Addr: os.Getenv("FAULTS_ADDR"), MonitorAddr: os.Getenv("FAULTS_MONITOR_ADDR"), SyncAlways: true, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	select {}
}
