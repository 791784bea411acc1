import { describe, expect, it } from '@jest/globals';
import { explainTrouble } from '../../src/check/explain-trouble.ts';

describe('the trouble with a connection', () => {
  it.each([
    ['ENOTFOUND', /resolved/, /DNS/],
    ['ECONNREFUSED', /nothing listens/, /port/],
    ['ENETUNREACH', /no way/, /firewalls/],
    ['UND_ERR_CONNECT_TIMEOUT', /in time/, /firewalls/],
    ['ECONNRESET', /broke/, /http or https/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /not signed by an authority/, /NODE_EXTRA_CA_CERTS/],
    ['CERT_HAS_EXPIRED', /outside its validity/, /renew/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /another host name/, /name/],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', /client certificate/, /tls\.cert/],
    ['proxy: 407', /user and a password/, /user:password/],
    ['proxy: ECONNREFUSED', /proxy on the way/, /NO_PROXY/],
    ['SOMETHING_ELSE', /failed/, /address/],
  ])('%s is explained', (code, reason, remedy) => {
    expect(explainTrouble(code)).toMatchObject({
      reason: expect.stringMatching(reason),
      remedy: expect.stringMatching(remedy),
    });
  });
});
