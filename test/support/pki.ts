/** Keys and certificates for TLS tests, made by `openssl` in a directory of their own. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsFiles } from '../../src/jsonrpc/tls.ts';

/** One certificate authority, and who it signed. */
export class Pki implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'vsb-pki-'));

  constructor() {
    this.#openssl('req', '-x509', ...NEW_KEY, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=test-ca');
  }

  get caCertificate(): string {
    return join(this.directory, 'ca.pem');
  }

  /** A key and a certificate that this CA signed. @param days how long it is valid; negative: it has expired */
  issue(name: string, days = 1): TlsFiles {
    this.#openssl('req', ...NEW_KEY, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', String(days)];
    this.#openssl('x509', '-req', '-in', `${name}.csr`, ...signing, '-out', `${name}.pem`);
    return {
      privateKey: join(this.directory, `${name}.key`),
      certificate: join(this.directory, `${name}.pem`),
      caCertificate: this.caCertificate,
    };
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true });
  }

  #openssl(...args: readonly string[]): void {
    execFileSync('openssl', args, { cwd: this.directory, stdio: 'pipe' });
  }
}

/** The options of Open vSwitch's programs for these files. */
export function tlsArguments(files: TlsFiles): string[] {
  return [
    `--private-key=${files.privateKey}`,
    `--certificate=${files.certificate}`,
    `--ca-cert=${files.caCertificate}`,
  ];
}

/** An elliptic curve: RSA keys take seconds to make. */
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
