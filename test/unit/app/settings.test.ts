import { expect } from 'chai';
import { toSettings } from '../../../src/app/settings.ts';
import { VsbError } from '../../../src/errors.ts';

const RUNDIR = '/var/run/openvswitch';

function failureOf(flags: Parameters<typeof toSettings>[0]): VsbError {
  try {
    toSettings(flags, {});
  } catch (thrown) {
    if (thrown instanceof VsbError) return thrown;
    throw thrown;
  }
  throw new Error('it did not fail');
}

describe('settings', () => {
  it('are those of a host without flags', () => {
    expect(toSettings({}, {})).to.deep.equal({
      remote: `unix:${RUNDIR}/db.sock`,
      tls: undefined,
      ovsRundir: RUNDIR,
      netns: undefined,
      runDir: '/run/vswitchboard',
      logLevel: 'warn',
    });
  });

  it('have the run directory of the flag, else of OVS_RUNDIR, else that of a unix socket', () => {
    const remote = 'unix:/remote/db.sock';
    const environment = { OVS_RUNDIR: '/environment' };
    expect(toSettings({ ovsRundir: '/flag', remote }, environment).ovsRundir).to.equal('/flag');
    expect(toSettings({ remote }, environment).ovsRundir).to.equal('/environment');
    expect(toSettings({ ovsRundir: '/flag' }, {}).remote).to.equal('unix:/flag/db.sock');
    for (const [text, rundir] of [
      [remote, '/remote'],
      ['unix:db.sock', '.'],
      ['unix:/a/db.sock,unix:/b/db.sock', '/a'],
      ['tcp:192.0.2.1,unix:/b/db.sock', '/b'],
      ['ptcp:6640', RUNDIR],
    ] as const)
      expect(toSettings({ remote: text }, {}).ovsRundir, text).to.equal(rundir);
  });

  it('refuse what is no remote', () => {
    expect(failureOf({ remote: 'nonsense' }).code).to.equal('REMOTE_INVALID');
    expect(failureOf({ remote: 'tcp:192.0.2.1,nonsense:1' }).code).to.equal('REMOTE_INVALID');
    expect(failureOf({ remote: 'db:a,b,c' }).code).to.equal('REMOTE_UNSUPPORTED');
  });

  it('have all three files of TLS, or say which is missing', () => {
    const flags = { privateKey: 'key.pem', certificate: 'cert.pem', caCert: 'ca.pem' };
    expect(toSettings(flags, {}).tls).to.deep.equal({
      privateKey: 'key.pem',
      certificate: 'cert.pem',
      caCertificate: 'ca.pem',
    });
    for (const [given, missing] of [
      [{ ...flags, privateKey: undefined }, 'Give --private-key too'],
      [{ ...flags, certificate: undefined }, 'Give --certificate too'],
      [{ ...flags, caCert: undefined }, 'Give --ca-cert too'],
      [{ caCert: 'ca.pem' }, 'Give --private-key and --certificate too'],
    ] as const) {
      const error = failureOf(given);
      expect([error.code, error.exitStatus]).to.deep.equal(['TLS_FILES_INCOMPLETE', 64]);
      expect(error.message).to.contain(missing);
    }
  });
});
