{{- define "common.serviceMonitor" -}}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  {{- include "common.metadata" (dict "root" .) | nindent 2 }}
    {{- with .Values.serviceMonitor.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  selector:
    matchLabels:
      {{- include "common.selectorLabels" . | nindent 6 }}
  endpoints:
    - port: http
      path: /metrics
      interval: {{ .Values.serviceMonitor.interval }}
      scrapeTimeout: {{ .Values.serviceMonitor.scrapeTimeout }}
      honorLabels: true # the metrics' own label `service` is what alerts and dashboards ask for
{{- end -}}

{{/* alerts.yaml as it is; what it says of runbooks is relative to where the repository can be read. */}}
{{- define "common.prometheusRule" -}}
{{- $rules := .Files.Get "alerts.yaml" -}}
{{- with .Values.prometheusRule.runbooks -}}
{{- $rules = replace "runbook_url: docs/runbooks/" (printf "runbook_url: %s/" (trimSuffix "/" .)) $rules -}}
{{- end -}}
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  {{- include "common.metadata" (dict "root" .) | nindent 2 }}
    {{- with .Values.prometheusRule.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- default "groups: []" $rules | nindent 2 }}
{{- end -}}

{{/* Grafana's sidecar picks these up by the label. */}}
{{- define "common.dashboards" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "common.metadata" (dict "root" . "suffix" "dashboards") | nindent 2 }}
    {{- with .Values.dashboards.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.dashboards.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
data:
  {{- range $path, $content := .Files.Glob "dashboards/*.json" }}
  {{ base $path }}: {{ toString $content | toJson }}
  {{- end }}
{{- end -}}
