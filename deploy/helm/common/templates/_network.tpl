{{- define "common.service" -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "common.metadata" (dict "root" .) | nindent 2 }}
  {{- with .Values.service.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ .Values.service.type }}
  selector:
    {{- include "common.serving" . | nindent 4 }}
  ports:
    - name: http
      port: {{ .Values.service.port }}
      targetPort: http
{{- end -}}

{{- define "common.ingress" -}}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  {{- include "common.metadata" (dict "root" .) | nindent 2 }}
  {{- $annotations := deepCopy .Values.ingress.annotations }}
  {{- if and .Values.ingress.host (eq .Values.ingress.className "alb") }}
  {{- /* Its controller looks for a certificate only where it is told to speak TLS, and keys go through here. */}}
  {{- $annotations = merge $annotations (dict "alb.ingress.kubernetes.io/listen-ports" "[{\"HTTPS\": 443}]") }}
  {{- end }}
  {{- with $annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- with .Values.ingress.className }}
  ingressClassName: {{ . }}
  {{- end }}
  {{- if and .Values.ingress.tlsSecret .Values.ingress.host }}
  tls:
    - secretName: {{ .Values.ingress.tlsSecret }}
      hosts: [{{ .Values.ingress.host | quote }}]
  {{- end }}
  rules:
    - http:
        paths:
          {{- range .Values.ingress.paths }}
          - path: {{ .path }}
            pathType: {{ .type }}
            backend:
              service:
                name: {{ include "common.fullname" $ }}
                port:
                  name: http
          {{- end }}
      {{- with .Values.ingress.host }}
      host: {{ . | quote }}
      {{- end }}
{{- end -}}

{{/* What every pod may reach: names, the database, what its service says, and what the values add. */}}
{{- define "common.egress" -}}
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
- ports:
    - {port: {{ .Values.networkPolicy.database.port }}, protocol: TCP}
  {{- with .Values.networkPolicy.database.to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- with include "service.egress" . }}
{{ . }}
{{- end }}
{{- with .Values.networkPolicy.extraEgress }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "common.networkPolicy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "common.metadata" (dict "root" .) | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "common.serving" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    - ports:
        - {port: {{ include "service.port" . }}, protocol: TCP}
      {{- with .Values.networkPolicy.from }}
      from:
        {{- toYaml . | nindent 8 }}
        {{- if $.Values.tests.enabled }}
        - podSelector: # `helm test` asks as they do
            matchLabels:
              {{- include "common.selectorLabels" $ | nindent 14 }}
              app.kubernetes.io/component: test
        {{- end }}
      {{- end }}
  egress:
    {{- include "common.egress" . | nindent 4 }}
{{- end -}}

{{/*
The same for pods that nobody speaks to. Takes a dict of root, suffix and components,
and of hook if it is for hooks, which come before the release's own objects.
*/}}
{{- define "common.jobNetworkPolicy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "common.metadata" . | nindent 2 }}
  {{- if .hook }}
  annotations:
    {{- include "common.hookAnnotations" .root | nindent 4 }}
  {{- end }}
spec:
  podSelector:
    matchLabels:
      {{- include "common.selectorLabels" .root | nindent 6 }}
    matchExpressions:
      - {key: app.kubernetes.io/component, operator: In, values: {{ toJson .components }}}
  policyTypes: [Ingress, Egress]
  ingress: []
  egress:
    {{- include "common.egress" .root | nindent 4 }}
    {{- if not .hook }}
    - ports:
        - {port: {{ include "service.port" .root }}, protocol: TCP}
      to:
        - podSelector:
            matchLabels:
              {{- include "common.serving" .root | nindent 14 }}
    {{- end }}
{{- end -}}
