{{- define "picker" -}}
{{ .Release.Name | trunc 40 }}-epp
{{- end -}}
