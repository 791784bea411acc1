#!/bin/sh
# Makes what compose.yaml mounts from secrets/, and leaves alone what is there already. Run it as root, so that each file
# belongs to the user of the container that reads it. The client secret of the app registration comes on standard input:
#
#   sudo sh make-secrets.sh < client-secret.txt
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
cd secrets
umask 077

[ -e client-secret ] || cat > client-secret
[ -e redis-password ] || openssl rand -hex 32 | tr -d '\n' > redis-password
# Redis gets only a digest of the password.
[ -e users.acl ] || cat > users.acl <<ACL
user default reset on nopass +ping
user gateway on #$(sha256sum < redis-password | cut -d ' ' -f 1) ~obo:* -@all +get +getrange +set +del +eval +info +hello
ACL
# For a trial: browsers do not trust it. Put the certificate of your own authority in its place.
[ -e tls.key ] || openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=api.contoso.com \
  -addext subjectAltName=DNS:api.contoso.com -keyout tls.key -out tls.crt 2> /dev/null

chown 1000 client-secret redis-password
chown 999 users.acl
chmod 400 client-secret redis-password users.acl tls.key
chmod 444 tls.crt
