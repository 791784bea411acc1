import type { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { GatewayConfig } from '../config/load-config.ts';
import { readCertificates } from '../syntax/pem-certificates.ts';
import { fail, pass, warn, type Row } from './row.ts';
import { judgeValidity } from './judge-validity.ts';

/** The keys of gateway.yaml that have the TLS of a listener. */
type ListenerTlsKey = 'server.tls' | 'authorizationService.tls';

/**
 * Checks the certificate of a listener and the authorities of its clients; nothing without TLS. That the files are PEM
 * and fit together was checked when gateway.yaml was read.
 *
 * @param key of gateway.yaml
 * @param now milliseconds since the epoch
 */
export async function checkListenerTls(
  key: ListenerTlsKey,
  { tls, publicUrl }: Partial<Pick<GatewayConfig['server'], 'tls' | 'publicUrl'>>,
  now: number,
): Promise<Row[]> {
  if (tls === undefined) {
    return [];
  }
  const [own, authorities] = await Promise.all([readFileOf(tls.cert), readFileOf(tls.clientCa)]);
  const [certificate] = own;
  return [
    ...(certificate ? [judgeOwn(key, certificate, now)] : []),
    ...(certificate && publicUrl !== undefined ? [judgeName(certificate, new URL(publicUrl).hostname)] : []),
    ...authorities.map((authority) => judgeAuthority(key, authority, now)),
  ];
}

/** None for a file that is gone since gateway.yaml was read. */
async function readFileOf(file: string | undefined): Promise<readonly X509Certificate[]> {
  return file === undefined ? [] : readFile(file, 'utf8').then(readCertificates, () => []);
}

function judgeOwn(key: ListenerTlsKey, certificate: X509Certificate, now: number): Row {
  return judgeValidity(`${key}: certificate`, certificate, now, {
    reason: 'callers end the connection when the certificate is outside its validity',
    remedy: 'replace cert and key; no restart is needed',
    key: `${key}.cert`,
  });
}

function judgeName(certificate: X509Certificate, hostname: string): Row {
  const check = 'server.tls: name';
  const host = hostname.replace(/^\[|\]$/g, '');
  const isNamed = isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host);
  return isNamed === undefined
    ? warn(check, `the certificate is not one of ${host}`, {
        reason: 'callers that come straight to this listener by server.publicUrl end the connection',
        remedy:
          'use a certificate that names this host; one for what is in front is enough where that asks for no name',
        key: 'server.tls.cert',
      })
    : pass(check, `the certificate is one of ${host}`);
}

function judgeAuthority(key: ListenerTlsKey, authority: X509Certificate, now: number): Row {
  const check = `${key}: client authority`;
  if (!authority.ca && authority.issuer !== authority.subject) {
    return fail(check, 'not the certificate of an authority', {
      reason: 'no client certificate can be verified with it',
      remedy: 'name the certificate of the authority that issues the certificates of the clients',
      key: `${key}.clientCa`,
    });
  }
  return judgeValidity(check, authority, now, {
    reason: 'no client with a certificate of this authority gets in when it is outside its validity',
    remedy: 'add the authority that follows it to the file; no restart is needed',
    key: `${key}.clientCa`,
  });
}
