// The uci module's part that the controller uses; the options come with the call.
import { readfile } from 'fs';

export function cursor() {
	const config = json(readfile(getenv('STUB_CALL'))).uci;

	return { get_first: (name, kind, option) => config[kind]?.[option] };
};
