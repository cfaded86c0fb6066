import { expect } from 'chai';
import { explainTls, explainVerification } from '../../../src/jsonrpc/tls.ts';

function failure(code: string, message = 'low-level text'): Error {
  return Object.assign(new Error(message), { code });
}

describe('tls', () => {
  it("says in people's words what OpenSSL and node say in codes", () => {
    const expected: readonly (readonly [code: string, words: RegExp])[] = [
      ['SELF_SIGNED_CERT_IN_CHAIN', /not signed by our CA/],
      ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /not signed by our CA/],
      ['CERT_HAS_EXPIRED', /its certificate has expired/],
      ['CERT_NOT_YET_VALID', /not valid yet .* clocks/],
      ['ERR_SSL_WRONG_VERSION_NUMBER', /does not speak TLS/],
      ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', /no version of TLS in common/],
      ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', /does not know the CA that signed our certificate/],
      ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', /our certificate has expired/],
      ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', /wants a certificate from us/],
      ['ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE', /wants a certificate from us/],
      ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', /refuses our certificate/],
      ['ERR_SSL_SOMETHING_NEW', /TLS failed: low-level text/],
    ];
    for (const [code, words] of expected) expect(explainTls(failure(code)), code).to.match(words);
    const hungUp = 'Client network socket disconnected before secure TLS connection was established';
    expect(explainTls(failure('ECONNRESET', hungUp))).to.match(/hung up while TLS was being agreed on/);
  });

  it('leaves to others what is no failure of TLS', () => {
    expect(explainTls(failure('ECONNREFUSED'))).to.equal(undefined);
    expect(explainTls('no error')).to.equal(undefined);
    expect(explainVerification('UNHEARD_OF')).to.equal(undefined);
  });
});
