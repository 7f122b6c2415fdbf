import { ReactWidget } from '@jupyterlab/ui-components';
import { Widget } from '@lumino/widgets';
import React from 'react';
import {
  type Highlight,
  HighlightedCode,
  Highlighting
} from '../../widgets/highlighting';
import { drawn } from '../support/drawing';

describe('HighlightedCode', () => {
  let widget: ReactWidget;

  async function show(
    text: string,
    highlight: Highlight | null
  ): Promise<void> {
    widget = ReactWidget.create(
      <Highlighting.Provider value={highlight}>
        <HighlightedCode text={text} />
      </Highlighting.Provider>
    );
    Widget.attach(widget, document.body);
    await drawn(widget, () => widget.update());
    await drawn(widget, () => widget.update());
  }

  /** Colours each word. */
  const words: Highlight = (code, node) => {
    for (const word of code.split(/(?<=\s)/)) {
      const span = document.createElement('span');
      span.className = 'word';
      span.textContent = word;
      node.append(span);
    }
    return Promise.resolve();
  };

  afterEach(() => widget.dispose());

  it('is in colours, what is invisible in it marked', async () => {
    await show('send \u202Egnp to', words);
    expect(widget.node.querySelectorAll('.word')).toHaveLength(3);
    expect(widget.node.textContent).toBe('send U+202Egnp to');
    expect(
      widget.node.querySelector('.word .aumos-ForeignText-mark')?.textContent
    ).toBe('U+202E');
  });

  it.each<[string, Highlight | null]>([
    ['no highlighter is there', null],
    ['it fails', () => Promise.reject(new Error('No such language.'))],
    [
      'it leaves something out',
      (code, node) => words(code.replace('rm', ''), node)
    ],
    ['it does not end', () => new Promise(() => undefined)]
  ])('is plain text where %s', async (_, highlight) => {
    await show('rm \u202E', highlight);
    expect(widget.node.querySelector('.word')).toBeNull();
    expect(widget.node.textContent).toBe('rm U+202E');
  });
});
