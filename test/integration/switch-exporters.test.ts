import { expect } from 'chai';
import { connectSwitch } from '../../src/app/switchclient.ts';
import { toSettings } from '../../src/app/settings.ts';
import { VsbError } from '../../src/errors.ts';
import type { OvsdbClient } from '../../src/ovsdb/client/client.ts';
import type { OpenVSwitchTables } from '../../src/ovsdb/generated/vswitch.ts';
import type { ExporterRequest } from '../../src/switch/exporterrows.ts';
import {
  addExporters,
  EXPORTER_COLUMNS,
  removeExpiredExporters,
  removeExporters,
  renewExporters,
  type ExporterLease,
} from '../../src/switch/exporters.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts';

const NOON = Date.parse('2026-11-24T12:00:00Z');
const NETFLOW: ExporterRequest = { bridge: 'br0', kind: 'netflow', port: 2055, domain: 0x0307, sampling: 1 };
const REQUESTS: readonly ExporterRequest[] = [
  NETFLOW,
  { ...NETFLOW, kind: 'ipfix', sampling: 3 },
  { ...NETFLOW, kind: 'sflow', sampling: 400 },
];

describe('switch: exporters', () => {
  it('makes them all, renews them, and leaves nothing behind', async () => {
    await using sandbox = await startBridge();
    await using client = await connect(sandbox);
    const lease = leaseOf('first', NOON + 60_000);
    await addExporters(client, REQUESTS, lease, sandbox.remote);
    const netflow = await sandbox.vsctl('list', 'NetFlow');
    expect(netflow)
      .to.match(/^targets +: \["127\.0\.0\.1:2055"\]$/m)
      .and.match(/^engine_type +: 3$/m)
      .and.match(/^engine_id +: 7$/m)
      .and.match(/^active_timeout +: 1$/m)
      .and.include('vswitchboard-expires="2026-11-24T12:01:00.000Z"')
      .and.include('vswitchboard-process="first\'s process"');
    expect(await sandbox.vsctl('list', 'IPFIX')).to.match(/^sampling +: 3$/m);
    expect(await sandbox.vsctl('list', 'sFlow')).to.match(/^sampling +: 400$/m);

    await renewExporters(client, leaseOf('first', NOON + 120_000));
    for (const table of ['NetFlow', 'IPFIX', 'sFlow'])
      expect(await sandbox.vsctl('list', table)).to.include(
        'vswitchboard-expires="2026-11-24T12:02:00.000Z"',
      );

    await removeExporters(client, leaseOf('second', NOON), sandbox.remote);
    expect(await sandbox.vsctl('list', 'NetFlow'), 'of another lease').to.not.equal('');
    await removeExporters(client, lease, sandbox.remote);
    await expectNone(sandbox);
  });

  it('makes none where one of them is taken, by us or by others', async () => {
    await using sandbox = await startBridge();
    await using client = await connect(sandbox);
    await addExporters(client, [NETFLOW], leaseOf('first', NOON), sandbox.remote);
    const again = await errorOf(addExporters(client, REQUESTS, leaseOf('second', NOON), sandbox.remote));
    expect(again).to.have.property('code', 'EXPORTER_TAKEN');
    expect(again?.message).to.include("another vsb (first's process)");
    expect(await sandbox.vsctl('list', 'IPFIX')).to.equal('');
    await removeExporters(client, leaseOf('first', NOON), sandbox.remote);

    await addForeign(sandbox);
    await client.waitFor((snapshot) => snapshot.table('sFlow').size === 1, { timeoutMs: 5_000 });
    const refused = await errorOf(addExporters(client, REQUESTS, leaseOf('second', NOON), sandbox.remote));
    expect(refused).to.have.property('code', 'EXPORTER_TAKEN');
    expect(refused?.message).to.include('not ours');
    expect(await sandbox.vsctl('list', 'NetFlow')).to.equal('');
  });

  it('does not overwrite who was quicker', async () => {
    await using sandbox = await startBridge();
    // Its replica stays as it was before the other came.
    await using stale = await connect(sandbox, false);
    await addForeign(sandbox);
    const late = await errorOf(addExporters(stale, REQUESTS, leaseOf('late', NOON), sandbox.remote));
    expect(late).to.have.property('code', 'SWITCH_CHANGED');
    expect(await sandbox.vsctl('list', 'NetFlow')).to.equal('');
  });

  it('removes what expired or whose process has ended, and nothing else', async () => {
    await using sandbox = await startBridge();
    await sandbox.vsctl('add-br', 'br1', '--', 'add-br', 'br2', '--', 'add-br', 'br3');
    await using client = await connect(sandbox);
    const add = (bridge: string, id: string, expires: number): Promise<bigint> =>
      addExporters(client, [{ ...NETFLOW, bridge }], leaseOf(id, expires), sandbox.remote);
    await add('br0', 'expired', NOON - 1);
    await add('br1', 'running', NOON + 1);
    await add('br2', 'ended', NOON + 1);
    await sandbox.vsctl('set', 'NetFlow', await netflowOf(sandbox, 'br1'), 'external_ids:noc=1');
    await addForeign(sandbox, 'br3');
    // A client that holds none of the tables, as that of an apply.
    await using other = await connectSwitch(toSettings({ remote: sandbox.remote }, {}));
    const sweep = (): Promise<number> =>
      removeExpiredExporters(other, {
        now: new Date(NOON),
        hasEnded: (owner) => Promise.resolve(owner.startsWith('ended')),
        remote: sandbox.remote,
      });
    expect(await sweep()).to.equal(2);
    expect(await netflowOf(sandbox, 'br0')).to.equal('[]');
    expect(await netflowOf(sandbox, 'br1')).to.not.equal('[]');
    expect(await netflowOf(sandbox, 'br2')).to.equal('[]');
    expect((await sandbox.vsctl('get', 'Bridge', 'br3', 'sflow')).trim()).to.not.equal('[]');
    expect(await sweep(), 'again').to.equal(0);
  });

  it('takes one whose expiry nobody can read for left behind', async () => {
    await using sandbox = await startBridge();
    await using client = await connect(sandbox);
    await addExporters(client, [NETFLOW], leaseOf('odd', NOON + 60_000), sandbox.remote);
    const row = await netflowOf(sandbox, 'br0');
    await sandbox.vsctl('set', 'NetFlow', row, 'external_ids:vswitchboard-expires=soon');
    const hasEnded = (): Promise<boolean> => Promise.resolve(false);
    const options = { now: new Date(NOON), hasEnded, remote: sandbox.remote };
    expect(await removeExpiredExporters(client, options)).to.equal(1);
    await expectNone(sandbox);
  });
});

async function startBridge(): Promise<TestSandbox> {
  const sandbox = await startTestSandbox({ databaseOnly: true });
  await sandbox.vsctl('--no-wait', 'add-br', 'br0');
  return { ...sandbox, vsctl: (...args) => sandbox.vsctl('--no-wait', ...args) };
}

function connect(sandbox: TestSandbox, follow = true): Promise<OvsdbClient<OpenVSwitchTables>> {
  return connectSwitch(toSettings({ remote: sandbox.remote }, {}), { columns: EXPORTER_COLUMNS, follow });
}

function leaseOf(id: string, expires: number): ExporterLease {
  return { id, owner: `${id}'s process`, expiresAt: new Date(expires) };
}

async function addForeign(sandbox: TestSandbox, bridge = 'br0'): Promise<void> {
  const row = ['--id=@s', 'create', 'sFlow', 'targets="127.0.0.1:9"', 'sampling=10'];
  await sandbox.vsctl('--', ...row, '--', 'set', 'Bridge', bridge, 'sflow=@s');
}

async function netflowOf(sandbox: TestSandbox, bridge: string): Promise<string> {
  return (await sandbox.vsctl('get', 'Bridge', bridge, 'netflow')).trim();
}

async function expectNone(sandbox: TestSandbox): Promise<void> {
  for (const table of ['NetFlow', 'IPFIX', 'sFlow'])
    expect(await sandbox.vsctl('list', table), table).to.equal('');
}

async function errorOf(promise: Promise<unknown>): Promise<VsbError | undefined> {
  try {
    await promise;
  } catch (thrown) {
    if (thrown instanceof VsbError) return thrown;
    throw thrown;
  }
  return undefined;
}
