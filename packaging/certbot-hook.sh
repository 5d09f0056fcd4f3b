#!/bin/sh
# SPDX-License-Identifier: ISC
#
# For certbot: once a certificate is renewed, put it and its key where postern looks, and have the
# running server read them anew. No session is dropped.
#
#   install -m 0755 certbot-hook.sh /etc/letsencrypt/renewal-hooks/deploy/postern
#
# certbot sets RENEWED_LINEAGE, the folder of the renewed certificate. POSTERN_CERTIFICATES is the
# folder that `certificates` names in postern.conf; without it nothing is copied.
set -eu

postern=${POSTERN:-postern}
folder=${POSTERN_CERTIFICATES:-}

if [ -n "$folder" ] && [ -n "${RENEWED_LINEAGE:-}" ]; then
    name=$(basename "$RENEWED_LINEAGE")
    umask 077
    # Whole files under names that are not read, then renamed: never half a key.
    cp "$RENEWED_LINEAGE/privkey.pem" "$folder/.$name.key.new"
    cp "$RENEWED_LINEAGE/fullchain.pem" "$folder/.$name.pem.new"
    # They belong to whom the folder belongs.
    chown --reference="$folder" "$folder/.$name.key.new" "$folder/.$name.pem.new"
    mv "$folder/.$name.key.new" "$folder/$name.key"
    mv "$folder/.$name.pem.new" "$folder/$name.pem"
fi
exec "$postern" reload "$@"
