/** The last ten versions of the settings, and the way back to each. */

import { ask } from './ask.js';
import { el, fill, setText } from './dom.js';
import { epoch, moment } from './format.js';
import { changeTable } from './settings-review.js';

const SHOWN = 3;

export class VersionList {
	/** `options`: t, request, isReadonly, store, words(path), rolledBack(answer). */
	constructor(options) {
		const { t } = options;
		this._options = options;
		this.list = el('ol.remsim-versions');
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.fold = el('details.remsim-versionfold', { toggle: () => { if (this.fold.open && !this._isFresh) this._load(); } }, el('summary', {}, el('h2', {}, t('Earlier versions'))),
			el('p.remsim-help', {}, t('The last ten. A rollback is a new version itself, so there is a way back from it, too.')), this.error, this.list);
		this.root = el('section.remsim-panel', { 'aria-label': t('Earlier versions') }, this.fold);
	}

	open() {
		this.fold.open = true;
	}

	/** Something was changed: the list is asked for anew when it is seen. */
	stale() {
		this._isFresh = false;
		if (this.fold.open)
			this._load();
	}

	async _load() {
		this._isFresh = true;
		try {
			const { versions } = await this._options.request('config/versions');
			fill(this.list, versions.map(version => this._row(version)));
			this.error.hidden = true;
		} catch (error) {
			this._isFresh = false;
			this._refuse(error);
		}
	}

	_refuse(error) {
		this.error.hidden = false;
		setText(this.error, error.hint ? `${error.message} – ${error.hint}` : error.message);
	}

	_row(version) {
		const { t, isReadonly, store } = this._options, place = el('div.remsim-stack', { hidden: true });
		const more = version.what.slice(SHOWN);
		const look = version.is_current ? null : el('button', { type: 'button', 'aria-expanded': 'false', click: () => this._look(version, place, look, back) }, t('What a rollback changes'));
		const back = version.is_current || isReadonly ? null : el('button.remsim-danger', { type: 'button', hidden: true, click: () => this._rollBack(version, back) }, t('Roll back to this'));
		return el('li', {}, el('div.remsim-tools', {}, el('time', { datetime: version.at }, moment(epoch(version.at), store.now())), el('span', {}, version.actor || t('at the start')), version.is_current ? el('strong', {}, t('in use')) : null),
			el('p.remsim-help', {}, version.what.slice(0, SHOWN).join(' · ')), more.length ? el('details', {}, el('summary', {}, t('%s more', more.length)), el('ul', {}, more.map(text => el('li', {}, text)))) : null,
			el('div.remsim-submit', {}, look, back), place);
	}

	async _look(version, place, look, back) {
		const { t, request, words } = this._options, isShown = place.hidden;
		look.setAttribute('aria-expanded', String(isShown));
		place.hidden = !isShown;
		if (!isShown) {
			if (back)
				back.hidden = true;
			return;
		}
		try {
			const shown = await request(`config/versions/${version.n}`);
			fill(place, shown.warnings.map(one => el('p.remsim-problem', {}, el('strong', {}, words(one.path)), ' – ', t(one.text))), changeTable(shown.changes, words, t));
			version.changes = shown.changes;
			if (back)
				back.hidden = false;
		} catch (error) {
			place.hidden = true;
			this._refuse(error);
		}
	}

	async _rollBack(version, back) {
		const { t, request, rolledBack, words, store } = this._options;
		const texts = [t('Settings become what they were on %s.', moment(epoch(version.at), store.now())), version.changes.slice(0, 8).map(one => words(one.path)).join(', ')];
		if (!await ask(this.root, { title: t('Roll back'), texts, yes: t('Roll back'), t }))
			return;
		back.disabled = true;
		try {
			rolledBack(await request(`config/versions/${version.n}/rollback`, { method: 'POST' }));
		} catch (error) {
			back.disabled = false;
			this._refuse(error);
		}
	}
}
