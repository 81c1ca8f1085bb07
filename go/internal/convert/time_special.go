package convert

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
)

// TimeToProto takes a time to its message. The zero time, Go's way to say that there is none, has no message.
func TimeToProto(in time.Time) *timestamppb.Timestamp {
	if in.IsZero() {
		return nil
	}
	return timestamppb.New(in)
}

// TimeFromProto is the way back of TimeToProto, in UTC.
func TimeFromProto(in *timestamppb.Timestamp) time.Time {
	if in == nil {
		return time.Time{}
	}
	return in.AsTime()
}

// TimePointerToProto takes a *time.Time to its message.
func TimePointerToProto(in *time.Time) *timestamppb.Timestamp {
	if in == nil {
		return nil
	}
	return timestamppb.New(*in)
}

// TimePointerFromProto is the way back of TimePointerToProto, in UTC.
func TimePointerFromProto(in *timestamppb.Timestamp) *time.Time {
	if in == nil {
		return nil
	}
	out := in.AsTime()
	return &out
}
