import { Widget } from '@lumino/widgets';

/**
 * Show a widget in a modal `dialog` element until what is given back is called, or the user closes it.
 *
 * The browser paints it in its top layer, above all that the page has, and everything else in the page is inert:
 * what a notebook's output draws cannot cover it, lie under its buttons or take a press or key that is meant for it.
 *
 * @param title - The id of the element that names it, and gets the focus.
 * @param onClosed - Called once, when it is closed by whatever.
 */
export function showInTopLayer(
  content: Widget & { readonly renderPromise?: Promise<void> },
  title: string,
  onClosed: () => void
): () => void {
  const dialog = document.createElement('dialog');
  dialog.className = 'jp-ThemedContainer aumos-Decision';
  dialog.setAttribute('aria-labelledby', title);
  dialog.addEventListener('close', () => {
    content.dispose();
    dialog.remove();
    onClosed();
  });
  document.body.append(dialog);
  dialog.showModal();
  Widget.attach(content, dialog);
  void content.renderPromise?.then(() =>
    // To the title and to no button: a key that is pressed once more must decide nothing.
    dialog.querySelector<HTMLElement>('.aumos-Decision-title')?.focus()
  );
  return () => dialog.close();
}
