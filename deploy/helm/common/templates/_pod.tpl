{{/*
What every pod is made of, whatever it runs: nobody's user, nothing to write to, no
token, no privileges. The image has no shell.
*/}}

{{- define "common.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "common.securityContext" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/*
Where Go begins to collect in earnest: four fifths of the memory limit, so that the
kernel's limit is never met. Takes a limit like 256Mi or 1Gi.
*/}}
{{- define "common.goMemoryLimit" -}}
{{- $mebibytes := trimSuffix "Mi" . | int64 -}}
{{- if hasSuffix "Gi" . -}}
{{- $mebibytes = trimSuffix "Gi" . | int64 | mul 1024 -}}
{{- end -}}
{{- div (mul $mebibytes 4) 5 -}}MiB
{{- end -}}

{{/*
The part of a container that is alike in all of them. Takes a dict of root, name, args
and resources, and of env: a list of variables, or nothing.
*/}}
{{- define "common.container" -}}
name: {{ .name }}
image: {{ include "common.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
args: {{ toJson .args }}
env:
  - name: GOMEMLIMIT
    value: {{ include "common.goMemoryLimit" .resources.limits.memory }}
  {{- with .env }}
  {{- . | nindent 2 }}
  {{- end }}
resources:
  {{- toYaml .resources | nindent 2 }}
securityContext:
  {{- include "common.securityContext" .root | nindent 2 }}
{{- end -}}

{{/* Metadata of a pod; takes a dict of root, component and annotations. */}}
{{- define "common.podMetadata" -}}
labels:
  {{- include "common.labels" .root | nindent 2 }}
  app.kubernetes.io/component: {{ .component }}
  {{- with .root.Values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- $annotations := merge (default dict .annotations) .root.Values.podAnnotations }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The part of a pod's spec that is alike in all of them; takes a dict of root and serviceAccount. */}}
{{- define "common.podSpec" -}}
serviceAccountName: {{ .serviceAccount }}
automountServiceAccountToken: false
enableServiceLinks: false # a Service called "query" would set QUERY_… otherwise
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- include "common.podSecurityContext" .root | nindent 2 }}
{{- end -}}
