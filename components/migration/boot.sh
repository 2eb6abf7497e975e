#!/bin/bash
# A proxy: HAProxy from the distribution, and a timer that follows the configuration in Parameter Store. Version @passwordVersion@ of the
# password of the statistics page.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
until apt-get update -qq && apt-get install -y -qq --no-install-recommends haproxy awscli ca-certificates; do sleep 10; done

cat > /usr/local/sbin/slipway-follow <<'EOF'
#!/bin/bash
# Brings the configuration, and loads it without dropping a connection if it is another one and HAProxy takes it. What was loaded is
# kept beside it, so that a reload that fails is tried again.
set -euo pipefail
etc=${ETC:-/etc/haproxy}
loaded=$etc/haproxy.cfg.loaded
new=$(mktemp "$etc/.haproxy.cfg.XXXXXX")
trap 'rm -f "$new"' EXIT
get() { aws ssm get-parameter --region '@region@' --with-decryption --name "$1" --query Parameter.Value --output text; }
get '@configuration@' > "$new"
if cmp -s "$new" "$etc/haproxy.cfg" && cmp -s "$new" "$loaded"; then exit 0; fi
if ! haproxy -c -q -f "$new"; then
  echo "the new configuration is refused, the old one stays" >&2
  exit 1
fi
chmod 644 "$new"
cp "$new" "$etc/haproxy.cfg.next"
mv "$etc/haproxy.cfg.next" "$etc/haproxy.cfg"
systemctl reload-or-restart haproxy
mv "$new" "$loaded"
EOF

cat > /usr/local/sbin/slipway-password <<'EOF'
#!/bin/bash
# Writes the password of the statistics page where HAProxy's unit reads it, readable by root only: as a file of its own, since everyone
# can read the one that the package has put there.
set -euo pipefail
file=${DEFAULTS:-/etc/default/haproxy}
umask 077
password=$(aws ssm get-parameter --region '@region@' --with-decryption --name '@password@' --query Parameter.Value --output text)
printf '@passwordVariable@="%s"\n' "$(sed 's/[\\"$`]/\\&/g' <<< "$password")" > "$file.new"
mv "$file.new" "$file"
EOF

cat > /usr/local/sbin/slipway-leave <<'EOF'
#!/bin/bash
# Lets a proxy go whose machine stops. The load balancer is told first, while HAProxy serves on; then HAProxy closes its ports, answers
# what it has begun, and tells clients to connect anew. It is no matter of a restart of HAProxy alone: that would last for so long that
# the auto scaling group takes the proxy for dead.
set -uo pipefail
if [ "$(systemctl is-system-running)" != stopping ]; then exit 0; fi
perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(shift) or die "$!\n"; print $s shift, "\n"; $s->flush; print <$s>' \
  "${SOCKET:-/run/haproxy/admin.sock}" '@drainInstance@'
sleep @noticeSeconds@
kill -USR1 "$MAINPID" || exit 0
for ((left = @drainSeconds@; left > 0; left--)); do
  kill -0 "$MAINPID" 2> /dev/null || exit 0
  sleep 1
done
EOF
mkdir -p /etc/systemd/system/haproxy.service.d
cat > /etc/systemd/system/haproxy.service.d/slipway.conf <<'EOF'
[Service]
ExecStop=/usr/local/sbin/slipway-leave
TimeoutStopSec=@stopSeconds@
EOF

cat > /etc/systemd/system/slipway-follow.service <<'EOF'
[Unit]
Description=Follow the configuration of HAProxy
After=network-online.target
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/slipway-follow
EOF
cat > /etc/systemd/system/slipway-follow.timer <<'EOF'
[Unit]
Description=Follow the configuration of HAProxy
[Timer]
OnActiveSec=0
OnUnitInactiveSec=15
AccuracySec=1
[Install]
WantedBy=timers.target
EOF

chmod 755 /usr/local/sbin/slipway-follow /usr/local/sbin/slipway-leave /usr/local/sbin/slipway-password
if [ -n '@password@' ]; then
  until /usr/local/sbin/slipway-password; do sleep 10; done
fi
systemctl daemon-reload
systemctl restart haproxy
systemctl enable --now slipway-follow.timer
