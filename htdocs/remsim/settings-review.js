/** What a change does, before it is made: each setting with what it was and becomes, what waits, what may be cut off. */

import { el, fill, setText } from './dom.js';

/** A table of changes. `words(path)` names a setting. */
export function changeTable(changes, words, t) {
	if (!changes.length)
		return el('p.remsim-absent', {}, t('Nothing changes.'));
	const value = (one, other) => one === null ? el('span.remsim-muted', {}, t('not set')) : one === '' ? '' : one === 'set' && (other === 'changed' || other === null) ? t('a secret') : one;
	return el('div.remsim-tablebox', { tabindex: '0', role: 'group', 'aria-label': t('Changes') }, el('table.remsim-table.remsim-changes', {},
		el('thead', {}, el('tr', {}, [t('Setting'), t('Was'), t('Becomes')].map(text => el('th', { scope: 'col' }, text)))),
		el('tbody', {}, changes.map(({ path, before, after }) => before === '' || after === ''
			? el('tr', {}, el('th', { scope: 'row' }, words(path)), el('td', { colspan: 2 }, after === '' ? t('added') : t('removed')))
			: el('tr', {}, el('th', { scope: 'row' }, words(path)), el('td', {}, value(before, after)), el('td', {}, value(after, before)))))));
}

export class Review {
	/** `options`: t, words(path), apply(restarts) -> Promise, closed(). */
	constructor(options) {
		const { t } = options;
		this._options = options;
		this.title = el('h2', { tabindex: '-1' }, t('What will change'));
		this.content = el('div.remsim-stack');
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.save = el('button.remsim-primary', { type: 'button', click: () => this._apply(false) });
		this.both = el('button', { type: 'button', click: () => this._apply(true) }, t('Save and restart the service'));
		this.back = el('button', { type: 'button', click: () => { this.hide(); options.closed(); } }, t('Back'));
		this.root = el('section.remsim-panel.remsim-review', { 'aria-label': t('What will change'), hidden: true }, el('header', {}, this.title), this.content, this.error, el('div.remsim-submit', {}, this.save, this.both, this.back));
	}

	/** `waits`: {soft, hard}, the settings that will wait for a restart of the service, or of all of it. */
	show(outcome, { soft, hard }) {
		const { t, words } = this._options, named = paths => paths.map(words).join(', ');
		fill(this.content,
			outcome.warnings.map(one => el('p.remsim-problem', {}, el('strong', {}, words(one.path)), ' – ', t(one.text))),
			changeTable(outcome.changes, words, t),
			soft.length ? el('p', {}, t('In force after a restart of the service only: %s. It takes a few seconds; live pages go on by themselves.', named(soft))) : null,
			hard.length ? el('p', {}, t('In force when all of the service is started anew, on the router, only: %s.', named(hard)), ' ', el('code', {}, '/etc/init.d/remsim-console restart')) : null,
			outcome.changes.length && !soft.length && !hard.length ? el('p', {}, t('All of it is in force at once.')) : null);
		setText(this.save, soft.length ? t('Save only') : t('Save'));
		this.save.disabled = this.both.disabled = !outcome.changes.length;
		this.both.hidden = !soft.length;
		this.error.hidden = true;
		this.root.hidden = false;
		this.title.focus();
	}

	hide() {
		this.root.hidden = true;
	}

	async _apply(restarts) {
		const { t } = this._options, buttons = [this.save, this.both, this.back];
		buttons.forEach(button => { button.disabled = true; });
		this.error.hidden = true;
		try {
			await this._options.apply(restarts);
		} catch (error) {
			this.error.hidden = false;
			const text = error.status === 412 ? t('Somebody else has changed the settings meanwhile. Reload this page and make your change anew.') : error.message;
			setText(this.error, error.status !== 412 && error.hint ? `${text} – ${error.hint}` : text);
		} finally {
			buttons.forEach(button => { button.disabled = false; });
		}
	}
}
