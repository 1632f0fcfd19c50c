/** A question before something is cut off: what will happen is named, and the safe answer has the focus. */

import { el } from './dom.js';

/** Whether the user wants it. `around` is the page's root, for its colours. */
export function ask(around, { title, texts, yes, t, danger = true }) {
	return new Promise(resolve => {
		const no = el('button', { type: 'button', click: () => end(false) }, t('Cancel'));
		const dialog = el('dialog.remsim-ask', { 'aria-label': title, cancel: event => { event.preventDefault(); end(false); } },
			el('h3', {}, title), texts.filter(Boolean).map(text => el('p', {}, text)),
			el('div.remsim-submit', {}, el(`button${danger ? '.remsim-danger' : '.remsim-primary'}`, { type: 'button', click: () => end(true) }, yes), no));
		const before = document.activeElement;
		const end = answer => {
			dialog.close();
			dialog.remove();
			if (before?.isConnected)
				before.focus({ preventScroll: true });
			resolve(answer);
		};
		around.appendChild(dialog);
		dialog.showModal();
		no.focus();
	});
}
