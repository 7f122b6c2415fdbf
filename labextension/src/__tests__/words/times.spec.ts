import { nullTranslator } from '@jupyterlab/translation';
import { connectionNotes, writeTimesIn } from '../../words/labels';
import { sampleState } from '../support/samples';

describe('writeTimesIn', () => {
  afterEach(() => writeTimesIn(undefined));

  it.each([
    ['de-DE', /from 14:02\.$/],
    ['en-US', /from 02:02.PM\.$/]
  ])('writes the time of the values as in %s', (locale, written) => {
    writeTimesIn(locale);
    const known = {
      state: sampleState('active'),
      failure: null,
      connection: 'interrupted',
      seenAt: new Date(2026, 10, 29, 14, 2).valueOf()
    };
    const trans = nullTranslator.load('aumos_governance');
    expect(connectionNotes(known as never, trans)).toEqual([
      expect.stringMatching(written)
    ]);
  });
});
