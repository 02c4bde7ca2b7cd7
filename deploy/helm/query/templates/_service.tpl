{{/* What the library asks of this service; common/templates/_names.tpl says what each is. */}}

{{- define "service.port" -}}5153{{- end -}}

{{- define "service.env" -}}
LOG_LEVEL: {{ .Values.logLevel }}
QUERY_ADDR: {{ printf ":%s" (include "service.port" .) | quote }}
LEGACY_TZ: {{ .Values.legacy.timeZone | quote }}
LEGACY_OPEN: {{ .Values.legacy.open | quote }}
RATE_LIMIT: {{ .Values.rateLimit.perSecond | quote }}
RATE_BURST: {{ .Values.rateLimit.burst | int | quote }}
MAX_CONNECTIONS: {{ .Values.database.maxConnections | int | quote }}
SHUTDOWN_NOTICE: 1s
{{- with .Values.oidc.issuer }}
OIDC_ISSUER: {{ . | quote }}
OIDC_AUDIENCE: {{ $.Values.oidc.audience | quote }}
OIDC_SCOPE_CLAIM: {{ $.Values.oidc.scopeClaim | quote }}
{{- with $.Values.oidc.spacesClaim }}
OIDC_SPACES_CLAIM: {{ . | quote }}
{{- end }}
{{- end }}
{{- with .Values.tracing.endpoint }}
OTEL_EXPORTER_OTLP_ENDPOINT: {{ . | quote }}
OTEL_TRACES_SAMPLER_ARG: {{ $.Values.tracing.ratio | quote }}
{{- end }}
{{- end -}}

{{- define "service.secretEnv" -}}
{{ include "common.databaseVariable" (dict "root" .) }}
{{- end -}}

{{- define "service.files" -}}
{{ include "common.databaseFiles" . }}
{{- end -}}

{{- define "service.mounts" -}}
{{ include "common.databaseMounts" . }}
{{- end -}}

{{- define "service.fileContents" -}}{{- end -}}

{{/* A second of notice, 15 for the requests that run, 5 for the last traces. */}}
{{- define "service.drainSeconds" -}}21{{- end -}}

{{- define "service.egress" -}}
{{- if .Values.oidc.issuer }}
- ports:
    - {port: 443, protocol: TCP}
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
