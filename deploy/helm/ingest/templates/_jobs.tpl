{{/* Environments of what runs once. Hooks cannot ask the ConfigMap: it is made after them. */}}

{{- define "ingest.migrateEnv" -}}
{{ include "common.databaseVariable" (dict "root" . "hook" true "key" .Values.database.migrateUrlKey) }}
- name: LOG_LEVEL
  value: {{ .Values.logLevel }}
- name: MIGRATE_TIMEOUT
  value: {{ .Values.migrate.timeoutSeconds | int }}s
{{- end -}}

{{/*
What the stream is to be like; as a map. Pods that serve have it, too, so that `ingest setup` in one of them, by hand,
does not make one copy of three. It waits four transactions for an answer, and hands out four batches: `run` refuses less.
*/}}
{{- define "ingest.streamEnv" -}}
REPLICAS: {{ .Values.stream.replicas | int | quote }}
MAX_BYTES: {{ mul 1073741824 (.Values.stream.maxGibibytes | int64) | quote }}
ACK_WAIT: {{ mul 4 (.Values.writeTimeoutSeconds | int) }}s
MAX_ACK_PENDING: {{ mul 4 (.Values.batchSize | int) | quote }}
{{- end -}}

{{- define "ingest.setupEnv" -}}
- name: LOG_LEVEL
  value: {{ .Values.logLevel }}
- name: NATS_URL
  value: {{ .Values.nats.url | quote }}
- name: PARTITIONS
  value: {{ .Values.partitions | int | quote }}
{{- range $name, $value := include "ingest.streamEnv" . | fromYaml }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
- name: SETUP_TIMEOUT
  value: {{ .Values.setup.timeoutSeconds | int }}s
{{- with include "ingest.natsEnv" (dict "root" . "seed" "admin.nk") }}
{{ . }}
{{- end }}
{{- end -}}

{{- define "ingest.verifyEnv" -}}
{{ include "common.databaseVariable" (dict "root" .) }}
- name: LOG_LEVEL
  value: {{ .Values.logLevel }}
- name: NATS_URL
  value: {{ .Values.nats.url | quote }}
- name: PARTITIONS
  value: {{ .Values.partitions | int | quote }}
{{- with include "ingest.natsEnv" (dict "root" . "seed" "admin.nk") }}
{{ . }}
{{- end }}
{{- end -}}

{{- define "ingest.verifyFiles" -}}
{{- include "common.databaseFiles" . }}
{{- include "ingest.natsFiles" (dict "root" . "seeds" (list "admin.nk")) }}
{{- end -}}

{{- define "ingest.verifyMounts" -}}
{{- include "common.databaseMounts" . }}
{{- include "ingest.natsMounts" . }}
{{- end -}}
