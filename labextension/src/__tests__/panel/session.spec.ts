import type { IKernel } from '../../protocol/session';
import { panelOfEachTest, PATH } from './panelScene';
import { sampleState } from '../support/samples';

describe('the session in the panel', () => {
  const panel = panelOfEachTest();

  it('is closed by a user only, after a confirmation', async () => {
    await panel.show('active');
    await panel.press('Close session…');
    await panel.press('Close session');
    expect(panel.closed).toEqual([]);
    await panel.userPress('Close session');
    expect(panel.closed).toEqual([PATH]);
    expect(panel.text('session')).toContain(
      'The last one spent $0.20 of $10.00.'
    );
  });

  describe('of a kernel', () => {
    const SENTENCE = 'The server cannot reach the kernel of this notebook';
    const kernel = (
      notebook: string,
      reachable: boolean,
      foreign_keys: string[] = []
    ): IKernel => ({
      id: notebook,
      notebook,
      reachable,
      transport: null,
      foreign_keys
    });

    it('with a key of a provider names its variable, and not that of another', async () => {
      panel.kernels = [
        kernel(PATH, true, ['OPENAI_API_KEY']),
        kernel('other.ipynb', true, ['GROQ_API_KEY'])
      ];
      await panel.show('active');
      expect(panel.text('session')).toContain(
        'A key of a provider is in the environment of the kernel of this notebook: OPENAI_API_KEY.'
      );
      expect(panel.text('session')).not.toContain('GROQ');
      panel.kernels = [];
      await panel.settle(() => panel.model.become({ kernelChanges: 1 }));
      expect(panel.text('session')).not.toContain('A key of a provider');
    });

    it('that the server cannot reach has a warning, whether a session is open or not', async () => {
      panel.kernels = [kernel(PATH, false)];
      await panel.show('active');
      expect(panel.text('session')).toContain(SENTENCE);
      await panel.show('closed');
      expect(panel.text('session')).toContain(SENTENCE);
    });

    it('that the server can reach has no warning', async () => {
      panel.kernels = [kernel(PATH, true), kernel('other.ipynb', false)];
      await panel.show('active');
      expect(panel.text('session')).not.toContain(SENTENCE);
      panel.kernels = [];
      await panel.show('active', { path: 'third.ipynb' });
      expect(panel.text('session')).not.toContain(SENTENCE);
    });

    it('that another notebook owns is looked up by that one', async () => {
      const shared = sampleState('shared');
      panel.kernels = [kernel(shared.shared_with ?? '', false)];
      await panel.show('shared');
      expect(panel.text('session')).toContain(SENTENCE);
    });

    it('is read again with another kernel or notebook only', async () => {
      await panel.show('active');
      expect(panel.kernelReads).toBe(1);
      await panel.show('active', { seq: 99 });
      expect(panel.kernelReads).toBe(1);
      panel.kernels = [kernel(PATH, false)];
      await panel.settle(() => panel.model.become({ kernelChanges: 1 }));
      expect(panel.kernelReads).toBe(2);
      expect(panel.text('session')).toContain(SENTENCE);
      await panel.show('active', { path: 'other.ipynb' });
      expect(panel.kernelReads).toBe(3);
      expect(panel.text('session')).not.toContain(SENTENCE);
    });
  });

  it('is left out where there never was one', async () => {
    await panel.show('never_opened');
    expect(panel.find('[data-section=session]')).toBeNull();
  });
});
