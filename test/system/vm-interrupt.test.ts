import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { listGuests, type ListedGuest } from '../../src/guest/status.ts';
import { vsb } from '../support/cli.ts';
import { guestImage } from '../support/guest-image.ts';
import { startRunning, VSB } from '../support/running.ts';

describe('vsb vm start, when somebody has had enough', function () {
  this.timeout(120_000);

  it('ends at SIGINT while a text is waited for; the guest runs on', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'vsb-vmint'));
    const env = { VSB_RUN_DIR: join(directory, 'run') };
    const file = join(directory, 'lab.vsb.yaml');
    const vm = { memory: '96M', boot: await guestImage() };
    await writeFile(file, JSON.stringify({ version: 1, name: 'lab', vms: { a: vm } }));
    const guests = (): Promise<ListedGuest[]> => listGuests(env.VSB_RUN_DIR, 'lab');
    try {
      const wait = ['--accel', 'tcg', '--wait', 'never said', '--timeout', '10m'];
      await using starting = startRunning([...VSB, 'vm', 'start', file, ...wait], env);
      // Noted: then the text is waited for.
      while ((await guests())[0]?.startedAt === undefined) await delay(20);
      starting.child.kill('SIGINT');
      const { status, output } = await starting.end();
      expect(output).to.contain('error[CANCELLED]').and.to.contain('VM "a" runs');
      expect(status).to.equal(1);
      expect((await guests()).map((guest) => guest.status)).to.deep.equal(['running']);
    } finally {
      await vsb(['vm', 'stop', file, '--force'], { env });
      await rm(directory, { recursive: true });
    }
  });
});
