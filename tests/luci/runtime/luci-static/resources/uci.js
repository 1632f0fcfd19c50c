'use strict';
'require baseclass';
'require rpc';

const callGet = rpc.declare({ object: 'uci', method: 'get', params: ['config'], expect: { values: {} }, reject: true });

/* Reading, and changes kept in the page; the views of this app do not save through it yet. */
return baseclass.extend({
	__init__() {
		this.values = {};
		this.loading = {};
	},

	load(names) {
		return Promise.all(L.toArray(names).map(async name => {
			this.loading[name] ??= callGet(name);
			this.values[name] = await this.loading[name];
			return name;
		}));
	},

	sections(config, type, fn) {
		const found = Object.values(this.values[config] ?? {}).filter(one => !type || one['.type'] === type);
		found.forEach(one => fn?.(one, one['.name']));
		return found;
	},

	get(config, section, option) {
		const found = this.values[config]?.[section];
		return option === undefined ? found ?? null : found?.[option] ?? null;
	},

	get_first(config, type, option) {
		return this.get(config, this.sections(config, type)[0]?.['.name'], option);
	},

	get_bool(config, section, option) {
		return ['1', 'on', 'true', 'yes', 'enabled'].includes(this.get(config, section, option));
	},

	add(config, type, name) {
		this.values[config][name] = { '.type': type, '.name': name };
		return name;
	},

	set(config, section, option, value) {
		this.values[config][section][option] = value;
	}
});
