import { expect } from 'chai';
import { fail, VsbError } from '../../../../src/errors.ts';
import { codecsOf } from '../../../../src/ovsdb/replica/codecs.ts';
import { openVSwitch } from '../../../../src/ovsdb/generated/vswitch.ts';
import { readOutcome } from '../../../../src/ovsdb/transaction/outcome.ts';
import { toUuid } from '../../../../src/ovsdb/schema/schema.ts';
import { Transaction } from '../../../../src/ovsdb/transaction/transaction.ts';

const U = toUuid('00000000-0000-4000-8000-00000000000a');

function sent() {
  const transaction = new Transaction(openVSwitch);
  const ref = transaction.insert('Queue', { dscp: 1 });
  transaction.delete('Queue', U);
  return { transaction, ref };
}

const read = (result: unknown) =>
  readOutcome({ kind: 'result', result }, sent().transaction, codecsOf(openVSwitch));
const inserted = { uuid: ['uuid', U] };

describe('transaction outcome', () => {
  it('is success where every operation has a result', () => {
    const { transaction, ref } = sent();
    const outcome = readOutcome(
      { kind: 'result', result: [inserted, { count: 1 }] },
      transaction,
      codecsOf(openVSwitch),
    );
    if (outcome.outcome !== 'success') throw new Error(outcome.outcome);
    expect(outcome.uuids.get(ref)).to.equal(U);
    expect(outcome.results).to.deep.equal([
      { kind: 'insert', uuid: U },
      { kind: 'count', count: 1 },
    ]);
  });

  it('finds the operation that failed, the ones after it null', () => {
    expect(read([{ error: 'domain error', details: 'd', syntax: 's' }, null])).to.deep.equal({
      outcome: 'error',
      at: 0,
      error: 'domain error',
      details: 'd',
      syntax: 's',
      message: 'operation 0 (insert on Queue) failed with domain error: d',
    });
  });

  it('finds a failure at commit in the element too many', () => {
    expect(read([inserted, { count: 1 }, { error: 'constraint violation' }])).to.include({
      outcome: 'error',
      at: 'commit',
      error: 'constraint violation',
    });
  });

  it('has words of its own for wait, lock and abort', () => {
    expect(read([inserted, { error: 'timed out' }]).outcome).to.equal('try-again');
    expect(read([{ error: 'not owner' }, null]).outcome).to.equal('not-locked');
    expect(read([inserted, { error: 'aborted' }]).outcome).to.equal('aborted');
  });

  it('reads refusals of the whole request, an object or a bare text', () => {
    const codecs = codecsOf(openVSwitch);
    for (const error of ['unknown database', { error: 'unknown database' }])
      expect(readOutcome({ kind: 'error', text: 'x', error }, sent().transaction, codecs)).to.include({
        outcome: 'error',
        at: 'request',
        error: 'unknown database',
      });
  });

  it('is unknown where no answer came', () => {
    const reason = fail('OVSDB_LINK_LOST', { remote: 'unix:x', why: 'gone' });
    expect(readOutcome({ kind: 'lost', reason }, sent().transaction, codecsOf(openVSwitch))).to.deep.equal({
      outcome: 'unknown',
      reason,
    });
  });

  it('refuses replies that fit no transaction', () => {
    for (const result of [
      7,
      [],
      [inserted],
      [inserted, null],
      [{}, {}],
      [inserted, {}, {}],
      [{ uuid: ['uuid', 'x'] }, {}],
    ])
      expect(() => read(result), JSON.stringify(result))
        .to.throw(VsbError)
        .with.property('code')
        .that.match(/^OVSDB_(PROTOCOL|VALUE)$/);
  });
});
