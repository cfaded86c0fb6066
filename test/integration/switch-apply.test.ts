import { expect } from 'chai';
import { connectSwitch } from '../../src/app/switchclient.ts';
import { toSettings } from '../../src/app/settings.ts';
import type { OvsdbClient } from '../../src/ovsdb/client/client.ts';
import type { OpenVSwitchTables } from '../../src/ovsdb/generated/vswitch.ts';
import { switchDomain } from '../../src/switch/domain.ts';
import { bridge, desiredState, nic } from '../support/desired.ts';
import { OvsdbServer } from '../support/ovsdb.ts';

const LAB = desiredState('lab', [bridge('br0')], [nic('a', 0), nic('b', 0)]);
const WAIT = { deadlineMs: 5000 };

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'no error',
    (error: unknown) => (error as { code?: unknown }).code,
  );
}

describe('a plan that was overtaken', () => {
  function domain(
    client: OvsdbClient<OpenVSwitchTables>,
    server: OvsdbServer,
  ): ReturnType<typeof switchDomain> {
    return switchDomain({
      client,
      remote: server.remote,
      netns: undefined,
      ovsRundir: '/nowhere',
      databaseOnly: true,
    });
  }

  async function withLab(
    act: (server: OvsdbServer, lab: ReturnType<typeof switchDomain>) => Promise<void>,
  ): Promise<void> {
    await using server = await OvsdbServer.start();
    await using client = await connectSwitch(toSettings({ remote: server.remote }));
    const lab = domain(client, server);
    await lab.apply(lab.diff(LAB, await lab.observe(LAB)).changes, WAIT);
    await act(server, lab);
  }

  it('does not remove a bridge that somebody plugged something into meanwhile', () =>
    withLab(async (server, lab) => {
      const removal = lab.removal('lab', await lab.observe(LAB));
      expect(removal.changes.map(({ kind, name }) => `${kind} ${name}`)).to.include('Bridge br0');
      await server.vsctl('add-port', 'br0', 'theirs');
      expect(await codeOf(lab.apply(removal.changes, WAIT))).to.equal('SWITCH_CHANGED');
      expect((await server.vsctl('list-ports', 'br0')).trim().split('\n')).to.deep.equal([
        'a-0',
        'b-0',
        'theirs',
      ]);

      await lab.apply(lab.removal('lab', await lab.observe(LAB)).changes, WAIT);
      expect((await server.vsctl('list-ports', 'br0')).trim(), 'what is theirs stays').to.equal('theirs');
    }));

  it('does not update a port that somebody removed meanwhile', () =>
    withLab(async (server, lab) => {
      await server.vsctl('set', 'Port', 'a-0', 'tag=99');
      await server.vsctl('set', 'Port', 'b-0', 'tag=99');
      const { changes } = lab.diff(LAB, await lab.observe(LAB));
      expect(changes.map(({ verb, name }) => `${verb} ${name}`)).to.deep.equal(['update a-0', 'update b-0']);
      await server.vsctl('del-port', 'a-0');
      expect(await codeOf(lab.apply(changes, WAIT))).to.equal('SWITCH_CHANGED');
      expect((await server.vsctl('get', 'Port', 'b-0', 'tag')).trim(), 'nothing of it was written').to.equal(
        '99',
      );
    }));
});
