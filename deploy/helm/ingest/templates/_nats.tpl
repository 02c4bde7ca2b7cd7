{{/* Who a pod is to the broker. */}}

{{/* Takes a dict of root and seed, the file of the user's seed. */}}
{{- define "ingest.natsEnv" -}}
{{- with .root.Values.nats }}
{{- if eq .auth "nkey" }}
- name: NATS_NKEY_SEED_FILE
  value: /etc/nats/{{ $.seed }}
{{- else if eq .auth "creds" }}
- name: NATS_CREDS
  value: /etc/nats/nats.creds
{{- end }}
{{- with .inboxPrefix }}
- name: NATS_INBOX_PREFIX
  value: {{ . | quote }}
{{- end }}
{{- if .tls }}
- name: NATS_CA
  value: /etc/nats/ca.crt
{{- end }}
{{- end }}
{{- end -}}

{{/* Takes a dict of root, seeds and, in a hook, hook. A pod gets the keys that it needs and no other. */}}
{{- define "ingest.natsFiles" -}}
{{- if include "ingest.natsMounts" .root }}
- name: nats
  secret:
    secretName: {{ include "common.secretName" (dict "root" .root "name" .root.Values.nats.existingSecret "hook" .hook) }}
    defaultMode: 0440
    items:
      {{- if eq .root.Values.nats.auth "nkey" }}
      {{- range .seeds }}
      - {key: {{ . }}, path: {{ . }}}
      {{- end }}
      {{- else if eq .root.Values.nats.auth "creds" }}
      - {key: nats.creds, path: nats.creds}
      {{- end }}
      {{- if .root.Values.nats.tls }}
      - {key: ca.crt, path: ca.crt}
      {{- end }}
{{- end }}
{{- end -}}

{{- define "ingest.natsMounts" -}}
{{- if or (ne .Values.nats.auth "none") .Values.nats.tls }}
- name: nats
  mountPath: /etc/nats
  readOnly: true
{{- end }}
{{- end -}}
