import { ReactWidget } from '@jupyterlab/ui-components';
import { Widget } from '@lumino/widgets';
import React from 'react';
import { PersonButton } from '../../widgets/personButton';
import { drawn } from '../support/drawing';
import { personPresses } from '../support/person';

describe('PersonButton', () => {
  const onPerson = vi.fn();
  let widget: ReactWidget;

  async function show(
    props: Partial<PersonButton.IProps> = {}
  ): Promise<HTMLButtonElement> {
    widget = ReactWidget.create(
      <form>
        <PersonButton onPerson={onPerson} {...props}>
          Approve
        </PersonButton>
      </form>
    );
    await drawn(widget, () => Widget.attach(widget, document.body));
    const button = widget.node.querySelector('button');
    if (!button) {
      throw new Error('There is no button.');
    }
    return button;
  }

  beforeEach(() => onPerson.mockClear());
  afterEach(() => widget.dispose());

  it('does what a person presses', async () => {
    personPresses(await show());
    expect(onPerson).toHaveBeenCalledOnce();
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
    expect(onPerson).not.toHaveBeenCalled();
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

  it('does nothing while it is disabled, and says why', async () => {
    const button = await show({ isDisabled: true, why: 'You may only look.' });
    personPresses(button);
    expect(onPerson).not.toHaveBeenCalled();
    expect(button.getAttribute('aria-disabled')).toBe('true');
    expect(button.disabled).toBe(false);
    expect(button.title).toBe('You may only look.');
    const reason = button.getAttribute('aria-describedby') ?? '';
    expect(document.getElementById(reason)?.textContent).toBe(
      'You may only look.'
    );
  });
});
