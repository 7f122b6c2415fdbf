import { nullTranslator } from '@jupyterlab/translation';
import { KeyDialog } from '../../decisions/keyDialog';

const SECRET = 'sk-aumos-secret';

describe('the dialog of a new key', () => {
  const copied: string[] = [];

  beforeEach(async () => {
    copied.length = 0;
    const dialog = new KeyDialog({
      trans: nullTranslator.load('aumos_governance'),
      copy: text => copied.push(text)
    });
    dialog.open({
      key: {
        id: '1',
        kind: 'user',
        name: 'report',
        path: 'key:report',
        kernel_id: null,
        terminal: null,
        issued_at: null,
        issued_by: 'ada'
      },
      secret: SECRET,
      environment: { OPENAI_BASE_URL: 'http://a', OPENAI_API_KEY: SECRET },
      withheld: []
    });
    await vi.waitFor(() => expect(button('Copy key')).toBeDefined());
  });

  function dialog(): HTMLElement | null {
    return document.querySelector('dialog');
  }

  function button(name: string): HTMLButtonElement | undefined {
    return [...(dialog()?.querySelectorAll('button') ?? [])].find(
      ({ textContent }) => textContent === name
    );
  }

  it('shows the key, copies it and keeps nothing of it', () => {
    expect(dialog()?.textContent).toContain(SECRET);
    button('Copy key')?.click();
    button('Copy variables')?.click();
    expect(copied).toEqual([
      SECRET,
      `OPENAI_BASE_URL=http://a\nOPENAI_API_KEY=${SECRET}`
    ]);
    button('Close')?.click();
    expect(dialog()).toBeNull();
    expect(document.documentElement.innerHTML).not.toContain(SECRET);
  });
});
