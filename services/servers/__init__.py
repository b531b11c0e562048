"""iManage servers: registered, validated, restricted, reached and removed."""
