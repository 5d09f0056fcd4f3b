/* SPDX-License-Identifier: ISC */
#include "queue/queue_int.h"
void listings_done(struct listings *l){(void)l;}
void listing_turn(struct queue *q, struct effects *fx){}
void listing_record(struct queue *q, uint32_t number, struct bytes payload, enum fault fault, struct effects *fx){}
void move_turn(struct queue *q, struct effects *fx){}
uint64_t move_alarm(const struct queue *q){return 0;}
void move_record(struct queue *q, uint32_t who, struct bytes payload, enum fault fault, struct effects *fx){}
void move_settle(struct queue *q, const struct fate *fate){}
void move_fail(struct queue *q){}
void story_init(struct story *s){}
void story_done(struct story *s){}
bool story_accepted(struct queue *q, uint64_t id, const struct letter_record *letter, struct queue_keys keys){return true;}
void story_settle(struct queue *q, struct bytes staged){}
void story_event(struct queue *q, const struct history_event *event){}
void story_turn(struct queue *q, struct effects *fx){}
void story_io(struct queue *q, struct token token, const struct event *event, struct effects *fx){}
void queue_list(struct queue *q, uint32_t token, uint64_t after, uint32_t most, struct effects *fx){ news_tell(q,&(struct queue_news){.kind=NEWS_ANSWER_END,.token=token,.more=2}); }
void queue_trace(struct queue *q, uint32_t token, uint8_t by, struct bytes key, struct effects *fx){news_tell(q,&(struct queue_news){.kind=NEWS_ANSWER_END,.token=token,.more=2});}
#include "queue/inspect.h"
struct inspect *inspect_new(struct bytes a, struct bytes b){return NULL;}
void inspect_free(struct inspect *i){}
struct inspect_want inspect_next(struct inspect *i){return (struct inspect_want){.need=INSPECT_ENDS};}
void inspect_give(struct inspect *i, struct bytes b){}
bool inspect_open(struct inspect *i, uint64_t id){return false;}
struct inspect_piece inspect_take(struct inspect *i){return (struct inspect_piece){.kind=TAKE_DAMAGED};}
struct history_search *history_search_new(enum history_by by, struct bytes key, struct bytes names){return NULL;}
void history_search_free(struct history_search *s){}
struct history_want history_search_next(struct history_search *s){return (struct history_want){.need=HISTORY_ENDS};}
void history_search_give(struct history_search *s, struct bytes b){}
