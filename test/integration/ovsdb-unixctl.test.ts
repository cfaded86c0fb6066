import { expect } from 'chai';
import { join } from 'node:path';
import { VsbError } from '../../src/errors.ts';
import { runControlCommand } from '../../src/ovsdb/unixctl.ts';
import { OvsdbServer } from '../support/ovsdb.ts';

describe('unixctl', () => {
  it('runs commands of a daemon, and hands on its refusals', async () => {
    await using server = await OvsdbServer.start();
    const path = join(server.directory, 'ctl.sock');
    const limits = { timeoutMs: 5000 };
    const version = await runControlCommand(path, 'version', [], limits);
    expect(version.outcome).to.equal('done');
    expect(version.text).to.match(/^ovsdb-server \(Open vSwitch\) /);
    expect((await runControlCommand(path, 'ovsdb-server/list-dbs', [], limits)).text).to.match(
      /^Open_vSwitch$/m,
    );
    const refused = await runControlCommand(path, 'no/such', ['ü'], limits);
    expect(refused.outcome).to.equal('refused');
    expect(refused.text).to.include('"no/such" is not a valid command');
  });

  it('says that there is no daemon', async () => {
    try {
      await runControlCommand('/nonexistent/ctl.sock', 'version', [], { timeoutMs: 5000 });
    } catch (thrown) {
      expect(thrown).to.be.instanceOf(VsbError).with.property('code', 'OVSDB_UNREACHABLE');
      return;
    }
    expect.fail('connected');
  });
});
