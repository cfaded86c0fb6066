import { expect } from 'chai';
import fc from 'fast-check';
import { toKeys } from '../../../../src/output/top/keys.ts';
import { renderTopScreen } from '../../../../src/output/top/screen.ts';
import { initialTopState, placeOf, press, type TopState } from '../../../../src/output/top/state.ts';
import { snapshotAfter } from './samples.ts';

const SNAPSHOT = snapshotAfter(5);
const SIZE = { width: 80, height: 24, colour: false };

function type(input: string, from: TopState = initialTopState('vms')): TopState {
  return toKeys(input).reduce(
    (state, key) => press(state, key, renderTopScreen(SNAPSHOT, state, SIZE).shown),
    from,
  );
}

/** Name of the chosen row, as the screen marks it. */
function chosen(state: TopState): string {
  const line = renderTopScreen(SNAPSHOT, state, SIZE).lines.find((each) => each.startsWith('▸')) ?? '';
  return line.slice(1).split(/ {2,}/, 1)[0] ?? '';
}

describe('press', () => {
  it('moves the choice, and stops at both ends', () => {
    expect(chosen(type(''))).to.equal('db1');
    expect(chosen(type('\x1b[B'))).to.equal('web1');
    expect(chosen(type('jjk'))).to.equal('web1');
    expect(chosen(type('\x1b[A'))).to.equal('db1');
    expect(chosen(type('G'))).to.equal('new');
    expect(chosen(type('Gj'))).to.equal('new');
    expect(chosen(type('G\x1b[H'))).to.equal('db1');
  });

  it('keeps the chosen row where the order changes', () => {
    const state = type('j');
    expect(chosen(state)).to.equal('web1');
    expect(chosen(type('r', state))).to.equal('web1');
    expect(chosen(type('>>>>', state))).to.equal('web1');
  });

  it('goes from a VM to its pairs to their conversations, and back to where it was', () => {
    const pairs = type('j\r');
    expect(placeOf(pairs)).to.deep.include({ view: 'pairs' });
    expect(renderTopScreen(SNAPSHOT, pairs, SIZE).lines.join('\n')).to.contain('pairs of web1');
    expect(pairs.isLookingDeep).to.equal(false);
    const conversations = type('\r', pairs);
    expect(placeOf(conversations).view).to.equal('conversations');
    expect(conversations.isLookingDeep).to.equal(true);
    const back = type('\x1b', conversations);
    expect(placeOf(back).view).to.equal('pairs');
    expect(back.isLookingDeep).to.equal(false);
    expect(chosen(type('\x7f', back))).to.equal('web1');
  });

  it('looks at conversations only where Enter asked for it, and ends with the view', () => {
    const there = type('\t\t');
    expect([placeOf(there).view, there.isLookingDeep]).to.deep.equal(['conversations', false]);
    const looking = type('\r', there);
    expect(looking.isLookingDeep).to.equal(true);
    expect(type('\t', looking).isLookingDeep).to.equal(false);
    expect(type('\x1b', looking).isLookingDeep).to.equal(false);
  });

  it('turns through the views, both ways', () => {
    const views = ['\t', '\t\t', '\t\t\t', '\x1b[Z', '\x1b[Z\x1b[Z'].map(
      (input) => placeOf(type(input)).view,
    );
    expect(views).to.deep.equal(['pairs', 'conversations', 'vms', 'conversations', 'pairs']);
  });

  it('sorts by the columns round and round, each view for itself', () => {
    expect(type('>').sorting.vms.column).to.equal('soon');
    expect(type('<<').sorting.vms.column).to.equal('received-bytes');
    expect(type('<<>>').sorting.vms.column).to.equal('now');
    expect(type('r').sorting.vms).to.deep.equal({ column: 'now', isReversed: true });
    expect(type('>').sorting.pairs.column).to.equal('now');
    expect(chosen(type('<'))).to.match(/^a-virt/);
  });

  it('applies a filter at Enter, leaves it at Escape, clears it at a second Escape', () => {
    const filtered = type('/vm=web*\r');
    expect(filtered.filters.vms).to.equal('vm=web*');
    expect(chosen(filtered)).to.equal('web1');
    expect(type('/\x15vm=db1\x1b', filtered).filters.vms).to.equal('vm=web*');
    expect(type('\x1b', filtered).filters.vms).to.equal('');
    expect(type('/vm=x\r', type('\t', filtered)).filters).to.deep.include({ vms: 'vm=web*', pairs: 'vm=x' });
  });

  it('does not take a filter that is wrong, and shows where', () => {
    const { line, filters } = type('/vm=a and rte>1\r');
    expect(filters.vms).to.equal('');
    expect(line).to.deep.include({ text: 'vm=a and rte>1', cursor: 9 });
    expect(line?.fault).to.contain('there is no field "rte". Did you mean "rate"?');
    expect(type('/vm=a and rte>1\r\x1b[3~').line).to.deep.include({
      text: 'vm=a and te>1',
      fault: undefined,
    });
  });

  it('edits the filter', () => {
    const line = (input: string): unknown => {
      const { line: edited } = type(`/${input}`);
      return edited === undefined ? undefined : [edited.text, edited.cursor];
    };
    expect(line('ab\x7f')).to.deep.equal(['a', 1]);
    expect(line('😀b\x1b[D\x1b[D\x1b[3~')).to.deep.equal(['b', 0]);
    expect(line('ab\x1b[Hc\x1b[Fd')).to.deep.equal(['cabd', 4]);
    expect(line('ab\x15')).to.deep.equal(['', 0]);
    expect(line('\x7f')).to.equal(undefined);
    expect(line('qb ')).to.deep.equal(['qb ', 3]);
  });

  it('completes', () => {
    const line = (input: string): unknown => {
      const { line: edited } = type(`/${input}`);
      return [edited?.text, edited?.choices];
    };
    expect(line('vm=we\t')).to.deep.equal(['vm=web1', []]);
    expect(line('net\t')).to.deep.equal(['network', []]);
    expect(line('network=\t')).to.deep.equal(['network=', ['web', 'db']]);
    expect(line('vm=a a\t')).to.deep.equal(['vm=a and ', []]);
    expect(line('vm=a or s\t')).to.deep.equal(['vm=a or sent', []]);
    expect(line('nothing\t')).to.deep.equal(['nothing', []]);
  });

  it('toggles unit, pause and help, and quits', () => {
    expect(type('b').unit).to.equal('bytes');
    expect(type('bb').unit).to.equal('bits');
    expect(type(' ').isPaused).to.equal(true);
    expect(type('?').isHelpShown).to.equal(true);
    expect(type('?x').isHelpShown).to.equal(false);
    expect(type('q').hasQuit).to.equal(true);
    expect(type('/q').hasQuit).to.equal(false);
    expect(type('/\x03').hasQuit).to.equal(true);
  });

  it('takes any keys in any order', () => {
    const keys = fc.constantFrom(
      ...['\x1b[A', '\x1b[B', '\x1b[5~', '\x1b[6~', '\x1b[H', '\x1b[F', '\r', '\x1b', '\x7f', '\t', '\x1b[Z'],
      ...['/', 'v', 'm', '=', '*', ' ', '<', '>', 'r', 'b', '?', 'x', '\x15', '\x1b[3~', '\x1b[D'],
    );
    fc.assert(
      fc.property(fc.array(keys, { maxLength: 40 }), (pressed) => {
        const state = pressed.reduce((so, key) => type(key, so), initialTopState('vms'));
        expect(renderTopScreen(SNAPSHOT, state, SIZE).lines).to.have.length(24);
      }),
      { numRuns: 200 },
    );
  });
});
