/**
 * The files of TLS, as Open vSwitch's programs take them (`--private-key`, `--certificate`, `--ca-cert`), and the peer's
 * failures in people's words. As in Open vSwitch (lib/stream-ssl.c, python/ovs/stream.py) both ends show a certificate
 * that this one CA signed, and host names are not compared: whoever has a certificate of the CA is trusted.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { fail } from '../errors.ts';

/** Paths of PEM files. */
export interface TlsFiles {
  readonly privateKey: string;
  readonly certificate: string;
  /** Who must have signed the peer's certificate. */
  readonly caCertificate: string;
}

/** What the files hold, as `node:tls` takes it. */
export interface TlsMaterial {
  readonly key: Buffer;
  readonly cert: Buffer;
  readonly ca: Buffer;
}

/**
 * Reads and checks the files. They are read anew for each connection that we make (for `pssl:`, each time that we start to
 * listen), so a renewed certificate is taken at the next one.
 * @throws TLS_FILE_INVALID, TLS_KEY_MISMATCH
 */
export function readTls(files: TlsFiles): TlsMaterial {
  const key = readPem('private key', files.privateKey, (pem) => createPrivateKey(pem));
  const certificate = readPem('certificate', files.certificate, (pem) => new X509Certificate(pem));
  const ca = readPem('CA certificate', files.caCertificate, (pem) => new X509Certificate(pem));
  if (!certificate.parsed.checkPrivateKey(key.parsed))
    throw fail('TLS_KEY_MISMATCH', { privateKey: files.privateKey, certificate: files.certificate });
  const material = { key: key.pem, cert: certificate.pem, ca: ca.pem };
  try {
    // What OpenSSL does not take, for example a key that is too short.
    createSecureContext(material);
    return material;
  } catch (cause) {
    throw fail(
      'TLS_FILE_INVALID',
      { what: 'certificate', path: files.certificate, why: messageOf(cause) },
      { cause },
    );
  }
}

function readPem<T>(
  what: string,
  path: string,
  parse: (pem: Buffer) => T,
): { readonly pem: Buffer; readonly parsed: T } {
  let pem: Buffer;
  try {
    pem = readFileSync(path);
  } catch (cause) {
    throw fail('TLS_FILE_INVALID', { what, path, why: unreadable(cause) }, { cause });
  }
  try {
    return { pem, parsed: parse(pem) };
  } catch (cause) {
    const why = pem.includes('ENCRYPTED')
      ? 'it is locked with a passphrase'
      : `there is no ${what} in PEM form in it`;
    throw fail('TLS_FILE_INVALID', { what, path, why }, { cause });
  }
}

function unreadable(cause: unknown): string {
  switch (codeOf(cause)) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EACCES':
      return 'no permission to read it';
    case 'ERR_INVALID_ARG_TYPE':
      return 'no path is given';
    default:
      return messageOf(cause);
  }
}

/** Why TLS failed and what to do about it; `undefined` where it is no failure of TLS. */
export function explainTls(cause: unknown): string | undefined {
  const code = codeOf(cause);
  const text = messageOf(cause);
  const verification = explainVerification(code);
  if (verification !== undefined) return verification;
  switch (code) {
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
    case 'ERR_SSL_HTTP_REQUEST':
      return `the other end does not speak TLS (${code}). Use tcp: or another port`;
    case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
    case 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION':
      return `both ends have no version of TLS in common (${code}). Update Open vSwitch or its --ssl-protocols`;
  }
  if (/disconnected before secure TLS/.test(text))
    return 'it hung up while TLS was being agreed on. Check that it speaks TLS there (pssl:), else use tcp:';
  if (/ALERT_(UNKNOWN_CA|DECRYPT_ERROR)/.test(code))
    return `it does not know the CA that signed our certificate (${code}). Let both ends use the same CA`;
  if (/ALERT_CERTIFICATE_EXPIRED/.test(code))
    return `it says that our certificate has expired (${code}). Renew it, or set its clock`;
  if (/CERTIFICATE_REQUIRED|PEER_DID_NOT_RETURN|HANDSHAKE_FAILURE/.test(code))
    return `it wants a certificate from us, and takes none of ours (${code}). Give one that its CA signed`;
  if (/ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_\w+)/.test(code))
    return `it refuses our certificate (${code}). Give one that its CA signed`;
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO') return `TLS failed: ${text}`;
  return undefined;
}

/** Why a peer's certificate is not taken, of OpenSSL's code for it (`TLSSocket.authorizationError`). */
export function explainVerification(code: string): string | undefined {
  switch (code) {
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'CERT_SIGNATURE_FAILURE':
      return `its certificate is not signed by our CA (${code}). Give the CA that signed the other end's certificate`;
    case 'CERT_HAS_EXPIRED':
      return `its certificate has expired (${code}). Renew it there, or set the clock here`;
    case 'CERT_NOT_YET_VALID':
      return `its certificate is not valid yet (${code}). Check the clocks of both ends`;
    default:
      return undefined;
  }
}

function codeOf(cause: unknown): string {
  const code: unknown = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? code : '';
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
