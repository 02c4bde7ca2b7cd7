{{/*
The database's own certificates, where the public ones do not do, as with RDS:
sslrootcert in its address names a file in /etc/database.
*/}}

{{- define "common.databaseFiles" -}}
{{- with .Values.database.ca }}
{{- if .configMap }}
- name: database
  configMap:
    name: {{ .configMap }}
{{- else if .secret }}
- name: database
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
{{- end }}
{{- end }}
{{- end -}}

{{- define "common.databaseMounts" -}}
{{- if or .Values.database.ca.configMap .Values.database.ca.secret }}
- name: database
  mountPath: /etc/database
  readOnly: true
{{- end }}
{{- end -}}

{{/* Takes a dict of root and, in a hook, hook and key. */}}
{{- define "common.databaseVariable" -}}
{{- $key := default .root.Values.database.urlKey .key -}}
{{- include "common.secretVariable" (dict "root" .root "name" .root.Values.database.existingSecret "hook" .hook "variable" "DATABASE_URL" "key" $key) -}}
{{- end -}}
