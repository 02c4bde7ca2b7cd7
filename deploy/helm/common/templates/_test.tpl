{{/* A pod of `helm test`: the service's own image asks. Takes a dict of root, suffix, args, env, files and mounts. */}}
{{- define "common.testPod" -}}
{{- $pod := include "common.oncePod" (merge (dict "component" "test" "serviceAccount" (include "common.serviceAccountName" .root) "resources" .root.Values.tests.resources) .) | fromYaml -}}
apiVersion: v1
kind: Pod
metadata:
  name: {{ include "common.fullname" .root }}-{{ .suffix }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- toYaml $pod.metadata.labels | nindent 4 }}
  annotations:
    {{- with $pod.metadata.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    helm.sh/hook: test
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  {{- toYaml $pod.spec | nindent 2 }}
{{- end -}}

{{/*
A pod that asks the service whether it is ready, by the Service's name, as whoever is in
the cluster would. Takes a dict of root and variable, which says where to ask.
*/}}
{{- define "common.testHealth" -}}
{{- $address := printf "%s:%d" (include "common.fullname" .root) (int .root.Values.service.port) -}}
{{- include "common.testPod" (dict "root" .root "suffix" "test-health" "args" (list "health") "env" (list (dict "name" .variable "value" $address) | toYaml)) -}}
{{- end -}}
