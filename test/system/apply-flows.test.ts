import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { runOrFail } from '../../src/process/run.ts';
import { vsb } from '../support/cli.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

const LAB = `
version: 1
name: lab
bridges: { br0: { datapath: netdev } }
networks: { web: { bridge: br0 } }
vms: { a: { nics: [ { network: web } ] } }
`;

interface Report {
  readonly failed: readonly { readonly kind: string; readonly code: string; readonly message: string }[];
  readonly findings: readonly { readonly kind: string; readonly code: string; readonly message: string }[];
}

describe('vsb apply, where pairs cannot be counted', function () {
  this.timeout(60_000);
  let scratch: string;
  let sandbox: TestSandbox;
  let path: string;

  beforeEach(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'vsb-flows-'));
    sandbox = await startTestSandbox();
    path = join(scratch, 'lab.vsb.yaml');
    await writeFile(path, LAB);
  });

  afterEach(async () => {
    await rm(scratch, { recursive: true, force: true });
    await sandbox[Symbol.asyncDispose]();
  });

  async function apply(env: Readonly<Record<string, string>>): Promise<Report & { readonly status: number }> {
    const result = await vsb(['apply', path, '--yes', '-o', 'json'], { env: { ...sandbox.env, ...env } });
    expect(result.stderr).not.to.match(/\n\s+at /);
    return { status: result.status, ...(JSON.parse(result.stdout) as Report) };
  }

  it('names the program that is missing, has made all else, and mends it the next time', async () => {
    const bin = join(scratch, 'bin');
    await mkdir(bin);
    for (const program of ['env', 'ip', 'tc']) {
      const found = (await runOrFail('which', [program], { timeoutMs: 5000 })).trim();
      await symlink(found, join(bin, program));
    }
    const { status, failed, findings } = await apply({ PATH: bin });
    expect(status).to.equal(1);
    expect(failed.map(({ kind, code }) => [kind, code])).to.deep.equal([['flows', 'PROGRAM_MISSING']]);
    expect(failed[0]?.message).to.include('apt-get install openvswitch-switch');
    expect(findings.map(({ code }) => code)).to.deep.equal(['PIPELINE_INCOMPLETE']);
    expect((await sandbox.vsctl('list-ports', 'br0')).trim()).to.equal('a-0');
    const shown = await vsb(['show'], { env: sandbox.env });
    expect(shown.stdout).to.match(/^br0 netdev \(lab\) {2}pairs: 31 rules are missing: run vsb apply$/m);
    const again = await apply({});
    expect([again.status, again.failed, again.findings]).to.deep.equal([0, [], []]);
  });

  it('names the socket that is not there', async () => {
    const { status, failed, findings } = await apply({ VSB_OVS_RUNDIR: '/nowhere' });
    expect(status).to.equal(1);
    expect(failed.map(({ code }) => code)).to.deep.equal(['OPENFLOW_UNREACHABLE']);
    expect(findings.map(({ code }) => code)).to.deep.equal(['PIPELINE_UNREADABLE']);
    expect(findings[0]?.message).to.include('/nowhere/br0.mgmt').and.include('--ovs-rundir');
  });

  it('is not tried where rows alone are written, nor where only ports are asked for', async () => {
    // Its port is there before its tap.
    sandbox.announce(/could not open network device a-0/, /a-0: Network is down/);
    const rows = await vsb(['apply', path, '--yes', '--database-only'], { env: sandbox.env });
    expect(rows.stdout).not.to.include('flows');
    await writeFile(path, LAB.replace('netdev }', 'netdev, visibility: ports }'));
    const { status, failed, findings } = await apply({ VSB_OVS_RUNDIR: '/nowhere' });
    expect([status, failed, findings]).to.deep.equal([0, [], []]);
    const shown = await vsb(['show'], { env: sandbox.env });
    expect(shown.stdout).to.match(/^br0 netdev \(lab\) {2}ports: topology "lab" wants no more/m);
  });
});
