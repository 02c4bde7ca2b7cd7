{{- define "common.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "common.metadata" (dict "root" .) | nindent 2 }}
spec:
  {{- if not (include "common.scaled" .) }}
  replicas: {{ .Values.replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  progressDeadlineSeconds: 600
  # One more first, and it must be ready before one goes.
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 1
      maxUnavailable: 0
  selector:
    matchLabels:
      {{- include "common.serving" . | nindent 6 }}
  template:
    metadata:
      {{- include "common.podMetadata" (dict "root" . "component" "run" "annotations" (dict "checksum/config" (printf "%s%s" (include "common.config" .) (include "service.fileContents" .) | sha256sum))) | nindent 6 }}
    spec:
      {{- include "common.podSpec" (dict "root" . "serviceAccount" (include "common.serviceAccountName" .)) | nindent 6 }}
      terminationGracePeriodSeconds: {{ include "common.graceSeconds" . }}
      {{- with .Values.topologySpread }}
      topologySpreadConstraints:
        {{- range . }}
        - topologyKey: {{ .topologyKey }}
          maxSkew: {{ .maxSkew }}
          whenUnsatisfiable: {{ .whenUnsatisfiable }}
          labelSelector:
            matchLabels:
              {{- include "common.serving" $ | nindent 14 }}
          matchLabelKeys: [pod-template-hash] # count the pods of this version, not those that leave
        {{- end }}
      {{- end }}
      containers:
        - {{- include "common.container" (dict "root" . "name" (include "common.name" .) "args" (list "run") "resources" .Values.resources "env" (include "service.secretEnv" .)) | nindent 10 }}
          envFrom:
            - configMapRef:
                name: {{ include "common.fullname" . }}
          ports:
            - name: http
              containerPort: {{ include "service.port" . }}
          startupProbe:
            httpGet: {path: /livez, port: http}
            periodSeconds: 1
            failureThreshold: 30
          livenessProbe:
            httpGet: {path: /livez, port: http}
            periodSeconds: 10
            timeoutSeconds: 3
            failureThreshold: 3
          readinessProbe:
            httpGet: {path: /readyz, port: http}
            periodSeconds: 5
            timeoutSeconds: 3 # /readyz itself gives up after 2
            failureThreshold: 2
          # Who balances hears of the end while new requests are still answered; a sleep of the kubelet's, since
          # there is no shell.
          lifecycle:
            preStop:
              sleep:
                seconds: {{ .Values.preStopSeconds }}
          {{- with include "service.mounts" . | trim }}
          volumeMounts:
            {{- . | nindent 12 }}
          {{- end }}
      {{- with include "service.files" . | trim }}
      volumes:
        {{- . | nindent 8 }}
      {{- end }}
{{- end -}}

{{/* preStop, then the drain, then five seconds that nobody should need. */}}
{{- define "common.graceSeconds" -}}
{{- add .Values.preStopSeconds (include "service.drainSeconds" . | int) 5 -}}
{{- end -}}

{{/* "true" if somebody else says how many replicas there are. */}}
{{- define "common.scaled" -}}
{{- if or .Values.autoscaling.enabled (and .Values.keda .Values.keda.enabled) -}}true{{- end -}}
{{- end -}}

{{- define "common.config" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "common.metadata" (dict "root" .) | nindent 2 }}
data:
  {{- $env := merge (include "service.env" . | fromYaml) .Values.extraEnv }}
  {{- range $name, $value := $env }}
  {{ $name }}: {{ $value | toString | quote }}
  {{- end }}
{{- end -}}
