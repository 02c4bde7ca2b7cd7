{{/*
What things are called. A chart that uses these templates defines, for its service:
  service.port         the port it listens on
  service.env          environment of every pod, as a map: it becomes a ConfigMap
  service.secretEnv    environment of the running service that is nobody's to read, as a list
  service.files        where that finds the files of Secrets, as a list of volumes
  service.mounts       and as a list of mounts
  service.fileContents what stands in its own ConfigMaps: pods start anew when it changes
  service.drainSeconds how long it may take to stop, once it is told to
  service.egress       whom it speaks to besides the database, as a list of rules
*/}}

{{- define "common.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* The release's name, if it says what it is; else with the chart's behind it. 40: the longest suffix must fit. */}}
{{- define "common.fullname" -}}
{{- $name := include "common.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What never changes in the life of a release: selectors are made of it. */}}
{{- define "common.selectorLabels" -}}
app.kubernetes.io/name: {{ include "common.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* The pods that serve, and not those of jobs and tests. */}}
{{- define "common.serving" -}}
{{ include "common.selectorLabels" . }}
app.kubernetes.io/component: run
{{- end -}}

{{- define "common.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "common.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: coworking
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* name, namespace and labels; takes a dict of root and, if it has one, suffix. */}}
{{- define "common.metadata" -}}
name: {{ include "common.fullname" .root }}{{ with .suffix }}-{{ . }}{{ end }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "common.labels" .root | nindent 2 }}
{{- end -}}

{{/*
Annotations of what the hooks need and a release has only after them: it is made
before the hooks and goes with them.
*/}}
{{- define "common.hookAnnotations" -}}
helm.sh/hook: pre-install,pre-upgrade,pre-rollback
helm.sh/hook-weight: "-20"
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}

{{- define "common.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "common.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* Of the hooks: the release's own account is made after them. */}}
{{- define "common.hookServiceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- include "common.fullname" . }}-hooks
{{- else -}}
{{- include "common.serviceAccountName" . -}}
{{- end -}}
{{- end -}}

{{/* A digest wins over a tag; without either it is the version that the chart is of. */}}
{{- define "common.image" -}}
{{- with .Values.image -}}
{{- with .registry }}{{ . }}/{{ end -}}
{{- .repository -}}
{{- if .digest -}}
@{{ .digest }}
{{- else -}}
:{{ default $.Chart.AppVersion .tag }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
The Secret that something is read from: the named one, else that of the release,
which is ExternalSecret's or made by hand. Takes a dict of root, name and, in a hook,
hook.
*/}}
{{- define "common.secretName" -}}
{{- if .name -}}
{{- .name -}}
{{- else if and .hook .root.Values.externalSecret.enabled -}}
{{- include "common.fullname" .root }}-hooks
{{- else -}}
{{- include "common.fullname" .root -}}
{{- end -}}
{{- end -}}

{{/* One variable out of a Secret; takes a dict of root, name (of the Secret), variable and key. */}}
{{- define "common.secretVariable" -}}
- name: {{ .variable }}
  valueFrom:
    secretKeyRef:
      name: {{ include "common.secretName" . }}
      key: {{ .key }}
{{- end -}}
