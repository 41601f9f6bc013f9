/** The shape of a language: the same keys as English, any text. A missing or misspelt key fails `tsc`. */
export type LocaleShape<T> = { [K in keyof T]: T[K] extends string ? string : LocaleShape<T[K]> };

/** Every dotted path that ends in a text: `data.upload.title`. */
export type LeafPaths<T> = {
  [K in keyof T & string]: T[K] extends string ? K : `${K}.${LeafPaths<T[K]>}`;
}[keyof T & string];

type TextAt<T, P extends string> = P extends `${infer Head}.${infer Rest}`
  ? Head extends keyof T
    ? TextAt<T[Head], Rest>
    : never
  : P extends keyof T
    ? T[P]
    : never;

type NameOf<P extends string> = P extends `${infer Name}:${string}` ? Name : P;

/** The names in `{braces}` of a text; `{count:row|rows}` chooses a word by the plural rule of the language. */
type Placeholders<S> = S extends `${string}{${infer P}}${infer Rest}` ? NameOf<P> | Placeholders<Rest> : never;

export type Arguments<T, P extends string> = [Placeholders<TextAt<T, P>>] extends [never]
  ? []
  : [values: Record<Placeholders<TextAt<T, P>>, string | number>];
