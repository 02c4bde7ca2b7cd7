{{/*
A pod that does one thing and ends. Takes a dict of root, component, serviceAccount,
args, resources, env, and of files and mounts if it reads some.
*/}}
{{- define "common.oncePod" -}}
metadata:
  {{- include "common.podMetadata" (dict "root" .root "component" .component) | nindent 2 }}
spec:
  {{- include "common.podSpec" . | nindent 2 }}
  restartPolicy: Never
  containers:
    - {{- include "common.container" (dict "root" .root "name" .component "args" .args "resources" .resources "env" .env) | nindent 6 }}
      {{- with default "" .mounts | trim }}
      volumeMounts:
        {{- . | nindent 8 }}
      {{- end }}
  {{- with default "" .files | trim }}
  volumes:
    {{- . | nindent 4 }}
  {{- end }}
{{- end -}}
