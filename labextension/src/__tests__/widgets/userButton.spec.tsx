import { ReactWidget } from '@jupyterlab/ui-components';
import { Widget } from '@lumino/widgets';
import React from 'react';
import { UserButton } from '../../widgets/userButton';
import { drawn } from '../support/drawing';
import { userPresses } from '../support/user';

describe('UserButton', () => {
  const onUserPress = vi.fn();
  let widget: ReactWidget;

  async function show(
    props: Partial<UserButton.IProps> = {}
  ): Promise<HTMLButtonElement> {
    widget = ReactWidget.create(
      <form>
        <UserButton onUserPress={onUserPress} {...props}>
          Approve
        </UserButton>
      </form>
    );
    await drawn(widget, () => Widget.attach(widget, document.body));
    const button = widget.node.querySelector('button');
    if (!button) {
      throw new Error('There is no button.');
    }
    return button;
  }

  beforeEach(() => onUserPress.mockClear());
  afterEach(() => widget.dispose());

  it('does what a user presses', async () => {
    userPresses(await show());
    expect(onUserPress).toHaveBeenCalledOnce();
  });

  it('does nothing that code in the page does', async () => {
    const button = await show();
    const options = { bubbles: true, cancelable: true };
    button.click();
    button.dispatchEvent(new MouseEvent('click', options));
    for (const key of ['Enter', ' ']) {
      for (const type of ['keydown', 'keypress', 'keyup']) {
        button.dispatchEvent(new KeyboardEvent(type, { ...options, key }));
      }
    }
    button.form?.dispatchEvent(new SubmitEvent('submit', options));
    expect(onUserPress).not.toHaveBeenCalled();
  });

  it('gives React no handler that could be called', async () => {
    const button = await show();
    const props = Object.entries(button).filter(([name]) =>
      name.startsWith('__reactProps')
    );
    expect(props).toHaveLength(1);
    const handlers = Object.keys(props[0]?.[1] as object).filter(name =>
      name.startsWith('on')
    );
    expect(handlers).toEqual([]);
  });

  it('is not pressed by a key that is held down', async () => {
    const button = await show();
    const key = { key: 'Enter', bubbles: true, cancelable: true };
    const held = new KeyboardEvent('keydown', { ...key, repeat: true });
    button.dispatchEvent(held);
    expect(held.defaultPrevented).toBe(true);
    const pressed = new KeyboardEvent('keydown', key);
    button.dispatchEvent(pressed);
    expect(pressed.defaultPrevented).toBe(false);
  });

  it('does nothing while it is disabled, and shows why', async () => {
    const button = await show({ isDisabled: true, why: 'You may only look.' });
    userPresses(button);
    expect(onUserPress).not.toHaveBeenCalled();
    expect(button.getAttribute('aria-disabled')).toBe('true');
    expect(button.disabled).toBe(false);
    expect(button.title).toBe('You may only look.');
    const reason = button.getAttribute('aria-describedby') ?? '';
    expect(document.getElementById(reason)?.textContent).toBe(
      'You may only look.'
    );
  });
});
