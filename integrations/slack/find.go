package slack

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	goslack "github.com/slack-go/slack"
)

// What goes with each message, unseen: https://docs.slack.dev/messaging/message-metadata
const (
	metadataType = "defectdojo_notice"
	metadataKey  = "key"
)

// How far is looked for a message: it was posted within minutes.
const (
	perPage  = 200
	maxPages = 10
	skew     = 2 * time.Minute // between Slack's clock and ours
)

// Blind are the errors that say that we may not look, or cannot: the app lacks
// a scope, or is not in the channel.
var Blind = []string{"missing_scope", "not_in_channel", "no_permission", "channel_not_found", "not_allowed_token_type", "access_denied", "thread_not_found"}

// Find finds a message of ours in a channel, or under a message of it, by the
// key that it was posted with, if it was posted since a time. It needs the scopes
// channels:history, groups:history and im:history, channels:read and groups:read
// where a channel is known by its name alone, and im:write for somebody's.
func (c *Client) Find(ctx context.Context, channel, thread, key string, since time.Time) (Place, bool, error) {
	id, err := c.channelID(ctx, channel)
	if err != nil || id == "" {
		return Place{}, false, err
	}
	oldest := fmt.Sprintf("%d.000000", since.Add(-skew).Unix())
	cursor := ""
	for range maxPages {
		page, next, err := c.page(ctx, id, thread, oldest, cursor)
		if err != nil {
			return Place{}, false, err
		}
		for _, m := range page {
			if m.Metadata.EventType == metadataType && m.Metadata.EventPayload[metadataKey] == key {
				return Place{id, m.Timestamp}, true, nil
			}
		}
		if cursor = next; cursor == "" {
			return Place{}, false, nil
		}
	}
	return Place{}, false, nil
}

func (c *Client) page(ctx context.Context, channel, thread, oldest, cursor string) ([]goslack.Message, string, error) {
	if thread != "" {
		all, _, next, err := c.api.GetConversationRepliesContext(ctx, &goslack.GetConversationRepliesParameters{
			ChannelID: channel, Timestamp: thread, Oldest: oldest, Cursor: cursor, Limit: perPage, IncludeAllMetadata: true,
		})
		return all, next, c.failed("conversations.replies", false, err)
	}
	h, err := c.api.GetConversationHistoryContext(ctx, &goslack.GetConversationHistoryParameters{
		ChannelID: channel, Oldest: oldest, Cursor: cursor, Limit: perPage, IncludeAllMetadata: true,
	})
	if err != nil {
		return nil, "", c.failed("conversations.history", false, err)
	}
	return h.Messages, h.ResponseMetaData.NextCursor, nil
}

var (
	channelIDs = regexp.MustCompile(`^[CDG][A-Z0-9]{6,}$`)
	userIDs    = regexp.MustCompile(`^[UW][A-Z0-9]{3,}$`)
)

// channelID returns Slack's own name of a channel, or of what is between
// somebody and us; "" if there is none.
func (c *Client) channelID(ctx context.Context, channel string) (string, error) {
	if channelIDs.MatchString(channel) {
		return channel, nil
	}
	if userIDs.MatchString(channel) {
		opened, _, _, err := c.api.OpenConversationContext(ctx, &goslack.OpenConversationParameters{Users: []string{channel}})
		if err != nil {
			return "", c.failed("conversations.open", false, err)
		}
		return opened.ID, nil
	}
	name, cursor := strings.TrimPrefix(channel, "#"), ""
	for range maxPages {
		list, next, err := c.api.GetConversationsContext(ctx, &goslack.GetConversationsParameters{
			Cursor: cursor, Limit: perPage, ExcludeArchived: true, Types: []string{"public_channel", "private_channel"},
		})
		if err != nil {
			return "", c.failed("conversations.list", false, err)
		}
		for _, o := range list {
			if o.Name == name {
				return o.ID, nil
			}
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	return "", nil
}
