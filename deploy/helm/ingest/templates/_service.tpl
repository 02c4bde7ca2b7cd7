{{/* What the library asks of this service; common/templates/_names.tpl says what each is. */}}

{{- define "service.port" -}}5154{{- end -}}

{{- define "service.env" -}}
LOG_LEVEL: {{ .Values.logLevel }}
INTAKE_ADDR: {{ printf ":%s" (include "service.port" .) | quote }}
NATS_URL: {{ .Values.nats.url | quote }}
{{- with .Values.nats.monitorUrl }}
NATS_MONITOR_URL: {{ . | quote }}
{{- end }}
PARTITIONS: {{ .Values.partitions | int | quote }}
BATCH_SIZE: {{ .Values.batchSize | int | quote }}
WRITE_TIMEOUT: {{ .Values.writeTimeoutSeconds | int }}s
RETENTION_DAYS: {{ .Values.retentionDays | int | quote }}
{{ include "ingest.streamEnv" . }}
{{- with .Values.tracing.endpoint }}
OTEL_EXPORTER_OTLP_ENDPOINT: {{ . | quote }}
OTEL_TRACES_SAMPLER_ARG: {{ $.Values.tracing.ratio | quote }}
{{- end }}
{{- if .Values.webhooks.file }}
HOOKS_FILE: /etc/webhooks/webhooks.json
{{- end }}
{{- end -}}

{{- define "service.secretEnv" -}}
{{ include "common.databaseVariable" (dict "root" .) }}
{{- with include "ingest.natsEnv" (dict "root" . "seed" "worker.nk") }}
{{ . }}
{{- end }}
{{- if eq .Values.nats.auth "nkey" }}
- name: NATS_DOOR_NKEY_SEED_FILE
  value: /etc/nats/door.nk
{{- end }}
{{- if .Values.webhooks.secrets }}
{{ include "common.secretVariable" (dict "root" . "name" .Values.webhooks.existingSecret "variable" "HOOK_SECRETS" "key" "HOOK_SECRETS") }}
{{- end }}
{{- end -}}

{{- define "service.files" -}}
{{- include "common.databaseFiles" . }}
{{- include "ingest.natsFiles" (dict "root" . "seeds" (list "worker.nk" "door.nk")) }}
{{- if .Values.webhooks.file }}
- name: webhooks
  configMap:
    name: {{ include "common.fullname" . }}-webhooks
{{- end }}
{{- end -}}

{{- define "service.mounts" -}}
{{- include "common.databaseMounts" . }}
{{- include "ingest.natsMounts" . }}
{{- if .Values.webhooks.file }}
- name: webhooks
  mountPath: /etc/webhooks
  readOnly: true
{{- end }}
{{- end -}}

{{- define "service.fileContents" -}}{{ .Values.webhooks.file }}{{- end -}}

{{/*
The request for messages that runs, the batch in hand and the one that came meanwhile;
the door, which takes 16 seconds at most, closes beside them. Then the broker is left
and the last traces are sent, for 5 seconds each at most.
*/}}
{{- define "service.drainSeconds" -}}
{{- add 3 (mul 2 (.Values.writeTimeoutSeconds | int)) 10 -}}
{{- end -}}

{{- define "service.egress" -}}
- ports:
    - {port: {{ .Values.networkPolicy.nats.port }}, protocol: TCP}
    {{- if .Values.nats.monitorUrl }}
    - {port: {{ .Values.networkPolicy.nats.monitorPort }}, protocol: TCP}
    {{- end }}
  {{- with .Values.networkPolicy.nats.to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- if .Values.tracing.endpoint }}
- ports:
    - {port: {{ .Values.networkPolicy.tracing.port }}, protocol: TCP}
  {{- with .Values.networkPolicy.tracing.to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end -}}
