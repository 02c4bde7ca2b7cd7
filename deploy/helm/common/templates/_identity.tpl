{{/*
EKS Pod Identity needs nothing here: an association names the account. IRSA is an
annotation. Takes a dict of root, name and, in a hook, hook.
*/}}
{{- define "common.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "common.labels" .root | nindent 4 }}
  {{- $annotations := deepCopy .root.Values.serviceAccount.annotations }}
  {{- with .root.Values.serviceAccount.roleArn }}
  {{- $_ := set $annotations "eks.amazonaws.com/role-arn" . }}
  {{- end }}
  {{- if .hook }}
  {{- $annotations = merge (include "common.hookAnnotations" .root | fromYaml) $annotations }}
  {{- end }}
  {{- with $annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end -}}

{{/*
Brings a Secret from where secrets are kept: each property of the remote one becomes a
key. Takes a dict of root and, for the one that hooks read and that goes with them, hook.
*/}}
{{- define "common.externalSecret" -}}
{{- $name := include "common.secretName" (dict "root" .root "name" "" "hook" .hook) -}}
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "common.labels" .root | nindent 4 }}
  {{- if .hook }}
  annotations:
    {{- include "common.hookAnnotations" .root | nindent 4 }}
  {{- end }}
spec:
  refreshInterval: {{ .root.Values.externalSecret.refreshInterval }}
  secretStoreRef:
    kind: {{ .root.Values.externalSecret.store.kind }}
    name: {{ .root.Values.externalSecret.store.name }}
  target:
    name: {{ $name }}
    creationPolicy: Owner
  dataFrom:
    - extract:
        key: {{ default (printf "coworking/%s" .root.Chart.Name) .root.Values.externalSecret.remoteKey }}
{{- end -}}
