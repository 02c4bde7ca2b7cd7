package aws

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// promises are what a template says of itself beyond being valid, each as a function
// from the template to the sentences that say where it is not kept.
var promises = map[string]func(template) []string{
	"images are immutable, scanned and not kept for ever": registries,
	"each log group has an end":                           endlessLogs,
	"nobody may do anything to anything":                  wildcards,
	"no secret is in a template":                          secrets,
	"the database can be lost by nobody's mistake":        databases,
	"the project names its buildspec":                     projects,
	"an alarm tells somebody, and says what to do":        alarms,
}

func TestTemplatesKeepTheirPromises(t *testing.T) {
	kinds := map[string]int{}
	for _, m := range templates(t) {
		for _, broken := range promises {
			complain(t, broken(m))
		}
		for _, resource := range m.resources {
			kinds[text(object(resource)["Type"])]++
		}
	}
	for _, kind := range []string{"AWS::ECR::Repository", "AWS::Logs::LogGroup", "AWS::IAM::Role", "AWS::RDS::DBInstance", "AWS::CodeBuild::Project", "AWS::CloudWatch::Alarm"} {
		if kinds[kind] == 0 {
			t.Errorf("there is no %s to keep a promise", kind)
		}
	}
}

func TestABrokenPromiseIsFound(t *testing.T) {
	cases := map[string]struct {
		body string
		want []string
	}{
		"images are immutable, scanned and not kept for ever": {
			"R: {Type: AWS::ECR::Repository, Properties: {ImageTagMutability: MUTABLE}}",
			[]string{"R: keeps images for ever", "R: moves tags", "R: is not scanned"},
		},
		"each log group has an end": {
			"L: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: l}}",
			[]string{"L: has no retention"},
		},
		"nobody may do anything to anything": {
			`R: {Type: AWS::IAM::Role, Properties: {ManagedPolicyArns: [a], Policies: [{PolicyDocument: {Statement: [` +
				`{Action: "ecr:*", Resource: a}, {Action: [ecr:PutImage], Resource: "*"}, {NotAction: a, Resource: b}, ` +
				`{Action: ecr:GetAuthorizationToken, Resource: "*"}]}}]}}`,
			[]string{
				"R: ecr:* is more than one action", "R: ecr:PutImage of everything", "R: has policies that are not written here",
				"R: says what is not allowed instead of what is",
			},
		},
		"no secret is in a template": {
			`D: {Type: AWS::RDS::DBInstance, Properties: {MasterUserPassword: geheim}}
S: {Type: AWS::SecretsManager::Secret, Properties: {SecretString: '{"url": "postgres://me:geheim@host/db"}'}}`,
			[]string{"D: MasterUserPassword is written down", "S: a password is written down"},
		},
		"the database can be lost by nobody's mistake": {
			"D: {Type: AWS::RDS::DBInstance, Properties: {DeletionProtection: false, StorageEncrypted: true, PubliclyAccessible: false, BackupRetentionPeriod: 0, Engine: mysql, ManageMasterUserPassword: true}}",
			[]string{"D: DeletionProtection is false", "D: goes without a snapshot", "D: has no backups", "D: is no Postgres 17", "D: speaks without TLS"},
		},
		"the project names its buildspec": {
			"P: {Type: AWS::CodeBuild::Project, Properties: {Source: {Type: GITHUB}}}",
			[]string{"P: reads buildspec.yml, which is not there", "P: two builds may deploy at once"},
		},
		"an alarm tells somebody, and says what to do": {
			"A: {Type: AWS::CloudWatch::Alarm, Properties: {AlarmDescription: Read docs/runbooks/Nothing.md.}}",
			[]string{"A: docs/runbooks/Nothing.md does not exist", "A: does not say what no data means", "A: tells nobody"},
		},
	}
	for name := range promises {
		t.Run(name, func(t *testing.T) {
			got := promises[name](templateOf(t, "broken", "Resources: {\n"+strings.ReplaceAll(cases[name].body, "\n", ",\n")+"\n}"))
			slices.Sort(got)
			want := slices.Clone(cases[name].want)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func registries(m template) []string {
	var wrong []string
	for name, p := range m.of("AWS::ECR::Repository") {
		if p["ImageTagMutability"] != "IMMUTABLE" {
			wrong = append(wrong, name+": moves tags")
		}
		if object(p["ImageScanningConfiguration"])["ScanOnPush"] != true {
			wrong = append(wrong, name+": is not scanned")
		}
		var policy struct{ Rules []map[string]any }
		err := json.Unmarshal([]byte(text(object(p["LifecyclePolicy"])["LifecyclePolicyText"])), &policy)
		if err != nil || len(policy.Rules) == 0 {
			wrong = append(wrong, name+": keeps images for ever")
		}
		for i, rule := range policy.Rules {
			if rule["rulePriority"] != float64(i+1) || object(rule["action"])["type"] != "expire" || object(rule["selection"])["countNumber"] == nil {
				wrong = append(wrong, fmt.Sprintf("%s: rule %d is none", name, i+1))
			}
		}
	}
	return wrong
}

func endlessLogs(m template) []string {
	var wrong []string
	for name, p := range m.of("AWS::Logs::LogGroup") {
		if p["RetentionInDays"] == nil {
			wrong = append(wrong, name+": has no retention")
		}
	}
	return wrong
}

// ofEverything are actions that AWS lets nobody narrow down, each with the reason.
var ofEverything = map[string]string{
	"ecr:GetAuthorizationToken": "it names no repository",
	"inspector2:ListCoverage":   "no resource type in the service authorization reference",
	"inspector2:ListFindings":   "no resource type in the service authorization reference",
}

func wildcards(m template) []string {
	var wrong []string
	for name, p := range m.of("AWS::IAM::Role") {
		if len(list(p["ManagedPolicyArns"])) > 0 {
			wrong = append(wrong, name+": has policies that are not written here")
		}
		for _, policy := range list(p["Policies"]) {
			for _, statement := range list(object(object(policy)["PolicyDocument"])["Statement"]) {
				s := object(statement)
				if s["NotAction"] != nil || s["NotResource"] != nil {
					wrong = append(wrong, name+": says what is not allowed instead of what is")
				}
				everything := slices.Contains(list(s["Resource"]), any("*"))
				for _, action := range list(s["Action"]) {
					if strings.Contains(text(action), "*") {
						wrong = append(wrong, fmt.Sprintf("%s: %v is more than one action", name, action))
					} else if everything && ofEverything[text(action)] == "" {
						wrong = append(wrong, fmt.Sprintf("%s: %v of everything", name, action))
					}
				}
			}
		}
	}
	return wrong
}

// password is one in an address; what is resolved when the stack is made is none.
var password = regexp.MustCompile(`://[^/@{]+:[^{][^@]*@`)

func secrets(m template) []string {
	var wrong []string
	for name, resource := range m.resources {
		each(resource, func(fields map[string]any) {
			for key, v := range fields {
				body, isText := v.(string)
				switch {
				case !isText:
				case strings.HasSuffix(key, "Password") || strings.HasSuffix(key, "Token"):
					wrong = append(wrong, name+": "+key+" is written down")
				case password.MatchString(body):
					wrong = append(wrong, name+": a password is written down")
				}
			}
		})
	}
	return wrong
}

func databases(m template) []string {
	var wrong []string
	for name, p := range m.of("AWS::RDS::DBInstance") {
		for key, want := range map[string]bool{"DeletionProtection": true, "StorageEncrypted": true, "PubliclyAccessible": false, "ManageMasterUserPassword": true} {
			if p[key] != want {
				wrong = append(wrong, fmt.Sprintf("%s: %s is %v", name, key, p[key]))
			}
		}
		if p["Engine"] != "postgres" || p["EngineVersion"] != "17" {
			wrong = append(wrong, name+": is no Postgres 17")
		}
		days := p["BackupRetentionPeriod"]
		if parameter := object(days)["Ref"]; parameter != nil {
			days = object(m.parameters[text(parameter)])["Default"]
		}
		if text(days) == "0" || days == nil {
			wrong = append(wrong, name+": has no backups")
		}
		if object(m.resources[name])["DeletionPolicy"] != "Snapshot" || object(m.resources[name])["UpdateReplacePolicy"] != "Snapshot" {
			wrong = append(wrong, name+": goes without a snapshot")
		}
		group := text(object(p["DBParameterGroupName"])["Ref"])
		settings := m.of("AWS::RDS::DBParameterGroup")[group]
		if object(settings["Parameters"])["rds.force_ssl"] != "1" || settings["Family"] != "postgres17" {
			wrong = append(wrong, name+": speaks without TLS")
		}
	}
	return wrong
}

func projects(m template) []string {
	var wrong []string
	for name, p := range m.of("AWS::CodeBuild::Project") {
		if object(p["Source"])["BuildSpec"] != "buildspec.yaml" {
			wrong = append(wrong, name+": reads buildspec.yml, which is not there")
		}
		if p["ConcurrentBuildLimit"] != 1 {
			wrong = append(wrong, name+": two builds may deploy at once")
		}
	}
	return wrong
}

var runbook = regexp.MustCompile(`docs/runbooks/[A-Za-z]+\.md`)

func alarms(m template) []string {
	var wrong []string
	for name, p := range m.of("AWS::CloudWatch::Alarm") {
		if len(list(p["AlarmActions"])) == 0 {
			wrong = append(wrong, name+": tells nobody")
		}
		if p["TreatMissingData"] == nil {
			wrong = append(wrong, name+": does not say what no data means")
		}
		for _, page := range runbook.FindAllString(text(p["AlarmDescription"]), -1) {
			if !exists(root + "/" + page) {
				wrong = append(wrong, fmt.Sprintf("%s: %s does not exist", name, page))
			}
		}
	}
	return wrong
}
